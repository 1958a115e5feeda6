// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_FAKE_WORKER_SERVICE_H_
#define TESTS_UNIT_WORKER_SESSION_FAKE_WORKER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "entente/v1/worker_service.grpc.pb.h"

namespace entente::worker {

// A coordinator's WorkerService in this process: each attachment runs the next script.
class FakeWorkerService final : public v1::WorkerService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::CoordinatorMessage, v1::WorkerMessage>;
  using Script = std::function<grpc::Status(Stream*)>;

  // Set before the first attachment; the last one stays.
  std::deque<Script> scripts;

  grpc::Status Attach(grpc::ServerContext*, Stream* stream) override {
    Script script;
    {
      absl::MutexLock lock(&mu_);
      ++attachments_;
      script = scripts.front();
      if (scripts.size() > 1) scripts.pop_front();
    }
    return script(stream);
  }

  bool WaitForAttachments(int count) {
    absl::MutexLock lock(&mu_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return attachments_ >= count; };
    return mu_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(30));
  }

 private:
  absl::Mutex mu_;
  int attachments_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_FAKE_WORKER_SERVICE_H_
