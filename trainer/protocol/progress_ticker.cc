// SPDX-License-Identifier: Apache-2.0
#include "trainer/protocol/progress_ticker.h"

#include <utility>

namespace entente::trainer {

ProgressTicker::ProgressTicker(MessageWriter& writer, std::string task, absl::Duration interval)
    : writer_(writer), task_(std::move(task)), interval_(interval), thread_([this] { Run(); }) {}

ProgressTicker::~ProgressTicker() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
    stops_.SignalAll();
  }
  thread_.join();
}

void ProgressTicker::Report(const Progress& progress) {
  absl::MutexLock lock(&mu_);
  latest_ = progress;
}

void ProgressTicker::Run() {
  while (true) {
    Progress progress;
    {
      absl::MutexLock lock(&mu_);
      const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return stopping_; };
      if (stops_.AwaitFor(&mu_, interval_, is_stopping)) return;
      progress = latest_;
    }
    writer_.Progressed(task_, progress);
  }
}

}  // namespace entente::trainer
