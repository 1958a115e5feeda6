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
      if (mu_.AwaitWithTimeout(absl::Condition(&stopping_), interval_)) return;
      progress = latest_;
    }
    writer_.Progressed(task_, progress);
  }
}

}  // namespace entente::trainer
