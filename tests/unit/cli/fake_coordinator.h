// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_CLI_FAKE_COORDINATOR_H_
#define TESTS_UNIT_CLI_FAKE_COORDINATOR_H_

// A coordinator that keeps everything in memory and does what the test tells it, behind real mTLS
// on a port of its own: what the command line sees is what it would see of the real one.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "entente/v1/admin_service.pb.h"
#include "entente/v1/job_service.pb.h"
#include "entente/v1/member_service.pb.h"
#include "entente/v1/model_service.pb.h"
#include "entente/v1/transfer_service.pb.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {

// What the coordinator knows and how it misbehaves. Fill it before the calls that use it.
struct FakeState {
  absl::Mutex mu;
  std::vector<v1::Job> jobs ABSL_GUARDED_BY(mu);
  // What each WatchJob call sends, call by call; the last entry serves all further calls. A stream
  // whose last job runs still ends as UNAVAILABLE; one of a job without a state as a handshake that
  // was hung up on.
  std::vector<std::vector<v1::Job>> watch_streams ABSL_GUARDED_BY(mu);
  std::vector<v1::Round> rounds ABSL_GUARDED_BY(mu);
  std::vector<v1::StoredModel> models ABSL_GUARDED_BY(mu);
  std::vector<v1::Member> members ABSL_GUARDED_BY(mu);
  v1::GetVersionResponse version ABSL_GUARDED_BY(mu);
  // Its clock less the real one; none: it does not tell.
  std::optional<absl::Duration> clock_ahead ABSL_GUARDED_BY(mu) = absl::ZeroDuration();
  std::map<std::string, std::string> blobs ABSL_GUARDED_BY(mu);    // By digest.
  std::map<std::string, std::string> partial ABSL_GUARDED_BY(mu);  // Uploads begun, by digest.
  std::map<std::string, std::string> job_of_token ABSL_GUARDED_BY(mu);
  std::vector<v1::SubmitJobRequest> submissions ABSL_GUARDED_BY(mu);
  std::vector<std::string> traceparents ABSL_GUARDED_BY(mu);   // Of submissions.
  std::vector<uint64_t> upload_offsets ABSL_GUARDED_BY(mu);    // Where each upload went on.
  std::vector<uint64_t> download_offsets ABSL_GUARDED_BY(mu);  // Where each download went on.
  int64_t break_next_transfer_after = -1 ABSL_GUARDED_BY(mu);  // Bytes; -1: do not.
  std::vector<v1::BackupMessage> backup ABSL_GUARDED_BY(mu);   // What a backup sends.
  std::vector<v1::BackupRequest> backup_requests ABSL_GUARDED_BY(mu);
  int refuse_uploads = 0 ABSL_GUARDED_BY(mu);  // How many of the next are put off for want of room.
  absl::Status refuse_all ABSL_GUARDED_BY(mu);  // Answer to every call if not OK.
};

class FakeCoordinator {
 public:
  // Makes an authority and certificates in `folder` and starts to serve.
  explicit FakeCoordinator(const TempFolder& folder);
  ~FakeCoordinator();

  FakeState& state() { return state_; }
  // "127.0.0.1:<port>".
  const std::string& address() const { return address_; }
  // The files of a submitter that the coordinator takes.
  const TlsPaths& client_tls() const { return client_tls_; }
  // The files of a worker that it takes.
  const TlsPaths& worker_tls() const { return worker_tls_; }
  ConnectionTarget target() const {
    return {.context = "", .coordinator = address_, .tls = client_tls_};
  }

  // `words` and the options that lead here.
  std::vector<std::string> Arguments(std::vector<std::string> words) const;

  // Stops serving, as a coordinator that was shut down.
  void Stop();
  // Serves again after Stop, at the same address.
  void Start();

 private:
  struct Server;

  void Listen(const std::string& at);

  FakeState state_;
  TlsPaths client_tls_;
  TlsPaths worker_tls_;
  TlsPaths server_tls_;
  std::string address_;
  std::unique_ptr<Server> server_;
};

}  // namespace entente::cli

#endif  // TESTS_UNIT_CLI_FAKE_COORDINATOR_H_
