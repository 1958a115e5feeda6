// SPDX-License-Identifier: Apache-2.0
#include "worker/session/away_watch.h"

#include <utility>

#include "absl/status/statusor.h"
#include "common/base/log.h"
#include "common/config/away_text.h"
#include "common/config/proto_time.h"
#include "worker/session/away_file.h"

namespace entente::worker {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(1);

bool IsSameAway(const std::optional<v1::Away>& a, const std::optional<v1::Away>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return AwayText(*a) == AwayText(*b) && ToTime(a->until()) == ToTime(b->until());
}

v1::WorkerMessage PresenceMessage(const std::optional<v1::Away>& away) {
  v1::WorkerMessage message;
  if (away.has_value()) {
    *message.mutable_away() = *away;
  } else {
    message.mutable_back();
  }
  return message;
}

}  // namespace

AwayWatch::AwayWatch(FileSystem* files, const Clock* clock, std::string path)
    : files_(*files), clock_(*clock), path_(std::move(path)) {
  std::optional<v1::Away> away = ReadNote();
  if (away.has_value()) log::Info("this worker is away", {{"reason", AwayText(*away)}});
  absl::MutexLock lock(&mu_);
  away_ = std::move(away);
}

AwayWatch::~AwayWatch() { Stop(); }

std::optional<v1::Away> AwayWatch::away() const {
  absl::MutexLock lock(&mu_);
  return away_;
}

std::string AwayWatch::Sentence() const {
  absl::MutexLock lock(&mu_);
  return away_.has_value() ? AwayText(*away_) : "";
}

void AwayWatch::Start(Listeners listeners) {
  listeners_ = std::move(listeners);
  {
    absl::MutexLock lock(&mu_);
    is_started_ = true;
  }
  thread_ = std::thread([this] {
    while (true) {
      Look();
      absl::MutexLock lock(&mu_);
      const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_stopping_; };
      if (stops_.AwaitFor(&mu_, kLookInterval, is_stopping)) return;
    }
  });
}

void AwayWatch::Stop() {
  {
    absl::MutexLock lock(&mu_);
    is_stopping_ = true;
    stops_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void AwayWatch::Look() {
  std::optional<v1::Away> now = ReadNote();
  {
    absl::MutexLock lock(&mu_);
    if (IsSameAway(away_, now)) return;
  }
  if (now.has_value()) {
    log::Info("this worker is away", {{"reason", AwayText(*now)}});
  } else {
    log::Info("this worker is back");
  }
  // The coordinator first: a task that is given back before would look declined.
  listeners_.sender->Send(PresenceMessage(now));
  {
    absl::MutexLock lock(&mu_);
    away_ = now;
  }
  if (now.has_value()) listeners_.give_back_tasks(AwayText(*now));
}

void AwayWatch::SayAgain() {
  v1::WorkerMessage message;
  {
    absl::MutexLock lock(&mu_);
    if (!is_started_) return;
    message = PresenceMessage(away_);
  }
  listeners_.sender->Send(std::move(message));
}

std::optional<v1::Away> AwayWatch::ReadNote() {
  const absl::StatusOr<std::optional<v1::Away>> read = ReadAwayFile(files_, path_);
  if (!read.ok()) {
    const std::string complaint(read.status().message());
    if (complaint != complaint_) {
      log::Error("the note that says whether this worker is away cannot be read; it stays away",
                 {{"reason", complaint}});
    }
    complaint_ = complaint;
    v1::Away away;
    away.set_reason("the note in its work directory cannot be read");
    return away;
  }
  complaint_.clear();
  if (!read->has_value()) return std::nullopt;
  if ((*read)->has_until() && clock_.Now() >= ToTime((*read)->until())) {
    if (const absl::Status removed = files_.Remove(path_); !removed.ok()) {
      log::Warning("cannot remove the note of an absence that is over",
                   {{"path", path_}, {"reason", removed.message()}});
    }
    return std::nullopt;
  }
  return *read;
}

}  // namespace entente::worker
