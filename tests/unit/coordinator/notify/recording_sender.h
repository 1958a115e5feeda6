// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_NOTIFY_RECORDING_SENDER_H_
#define TESTS_UNIT_COORDINATOR_NOTIFY_RECORDING_SENDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "coordinator/notify/notification_sender.h"

namespace entente::notify {

// What a receiver was sent, and how it behaves. Outlives the sender that fills it.
struct Received {
  absl::Mutex mu;
  std::vector<Notification> all ABSL_GUARDED_BY(mu);  // Every try.
  // What the next tries give; then OK.
  std::vector<absl::Status> answers ABSL_GUARDED_BY(mu);
  bool hangs ABSL_GUARDED_BY(mu) = false;  // Until it is cancelled.
  bool cancelled ABSL_GUARDED_BY(mu) = false;

  // Waits, at most half a minute, until so many tries were made; whether they were.
  bool WaitForTries(size_t count) {
    absl::MutexLock lock(&mu);
    const auto made = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) { return all.size() >= count; };
    return mu.AwaitWithTimeout(absl::Condition(&made), absl::Seconds(30));
  }
  std::vector<Notification> All() {
    absl::MutexLock lock(&mu);
    return all;
  }
};

class RecordingSender final : public NotificationSender {
 public:
  explicit RecordingSender(Received* received) : received_(*received) {}

  const std::string& name() const override { return name_; }

  absl::Status Send(const Notification& notification) override {
    absl::MutexLock lock(&received_.mu);
    received_.all.push_back(notification);
    const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(received_.mu) {
      return !received_.hangs || received_.cancelled;
    };
    received_.mu.Await(absl::Condition(&ready));
    if (received_.cancelled) return absl::CancelledError("cancelled");
    if (received_.answers.empty()) return absl::OkStatus();
    const absl::Status answer = received_.answers.front();
    received_.answers.erase(received_.answers.begin());
    return answer;
  }

  void Cancel() override {
    absl::MutexLock lock(&received_.mu);
    received_.cancelled = true;
  }

 private:
  Received& received_;
  const std::string name_ = "test";
};

}  // namespace entente::notify

#endif  // TESTS_UNIT_COORDINATOR_NOTIFY_RECORDING_SENDER_H_
