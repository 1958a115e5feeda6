// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_APP_COORDINATOR_APP_H_
#define COORDINATOR_APP_COORDINATOR_APP_H_

// The coordinator, put together: the only place that knows every part of it.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente {

class CoordinatorApp {
 public:
  // Called once, on any thread, when it cannot go on: the journal does not know any more what is on
  // its disk. Nothing is acknowledged from then on. It must not block; Stop is for later, and then
  // a start anew.
  using FailureListener = std::function<void(const absl::Status& reason)>;

  // Opens the data directory, restores the jobs in it and listens.
  //
  // NOT_FOUND: a certificate, key or authority is missing. INVALID_ARGUMENT: one is wrong, or what
  // the configuration says of HTTP or notifications. FAILED_PRECONDITION: another coordinator runs
  // on the data directory, or it is another alliance's or a newer version's. DATA_LOSS: the journal
  // is damaged or missing, or a model that a job goes on from. RESOURCE_EXHAUSTED: the disk is
  // full. UNAVAILABLE: cannot listen, or the disk.
  static absl::StatusOr<std::unique_ptr<CoordinatorApp>> Start(
      const config::v1::CoordinatorConfig& config, const std::string& version,
      FailureListener on_failure);

  // Stop comes first: without it this waits for calls and aggregations in flight, however long they
  // take.
  ~CoordinatorApp();

  // Where it listens; differs from the configuration if that said port 0.
  int port() const;

  // Takes nothing new, says goodbye to the workers and to whoever watches a job, waits at most the
  // configured drain time for calls in flight, and as long again for the aggregations that they may
  // have begun. Jobs go on when the coordinator is started again.
  void Stop();

 private:
  struct Parts;
  explicit CoordinatorApp(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

// OK if the configuration's certificates, keys and authorities are in order: what --check-config
// adds to loading the file.
absl::Status CheckCoordinatorFiles(const config::v1::CoordinatorConfig& config);

}  // namespace entente

#endif  // COORDINATOR_APP_COORDINATOR_APP_H_
