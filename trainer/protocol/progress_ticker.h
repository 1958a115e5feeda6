// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_PROTOCOL_PROGRESS_TICKER_H_
#define TRAINER_PROTOCOL_PROGRESS_TICKER_H_

// Tells the worker how far a task is, at least once an interval, also when one step takes longer.

#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/steady_cond_var.h"
#include "trainer/protocol/message_writer.h"
#include "trainer/protocol/training_session.h"

namespace entente::trainer {

// Thread-safe. Starts telling when made and stops when destroyed.
class ProgressTicker final : public ProgressSink {
 public:
  // `writer` is borrowed.
  ProgressTicker(MessageWriter& writer, std::string task, absl::Duration interval);
  ~ProgressTicker() override;

  void Report(const Progress& progress) override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  MessageWriter& writer_;
  const std::string task_;
  const absl::Duration interval_;

  absl::Mutex mu_;
  SteadyCondVar stops_;
  Progress latest_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;  // Last: it starts when everything else is ready.
};

}  // namespace entente::trainer

#endif  // TRAINER_PROTOCOL_PROGRESS_TICKER_H_
