// SPDX-License-Identifier: Apache-2.0
#include "cli/job_watch.h"

#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "cli/job_text.h"
#include "cli/watch_narrator.h"
#include "cli/watch_terminal.h"
#include "cli/watch_view.h"
#include "common/base/limits.h"
#include "common/base/retry.h"
#include "common/base/status_macros.h"
#include "common/base/steady_cond_var.h"

namespace entente::cli {
namespace {

// How often the picture is drawn when nothing changes but the clock.
constexpr absl::Duration kTick = absl::Milliseconds(500);

// Longest wait between two tries to reach the coordinator again: somebody looks at the screen.
constexpr absl::Duration kRetryMax = absl::Seconds(1);

// A coordinator that is killed between a handshake and its answer looks like one that does not take
// our certificate, though it took it before. One that hangs up so often means it.
constexpr int kRefusalsInARowMax = 3;

// Where a watched job is shown.
class Display {
 public:
  virtual ~Display() = default;
  virtual void Show(const WatchPicture& picture, bool job_changed) = 0;
};

class PictureDisplay final : public Display {
 public:
  PictureDisplay(Terminal* terminal, bool colour)
      : terminal_(*terminal), colour_(colour), screen_(terminal) {}

  void Show(const WatchPicture& picture, bool) override {
    const Terminal::Size size = terminal_.size();
    // The last line of the terminal is the cursor's.
    const size_t height = size.height > 1 ? size.height - 1 : 1;
    screen_.Draw(WatchLines(picture, {.width = size.width, .height = height, .colour = colour_}),
                 picture.now, /*now_or_never=*/HasEnded(picture.job));
  }

 private:
  Terminal& terminal_;
  const bool colour_;
  WatchTerminal screen_;
};

class LineDisplay final : public Display {
 public:
  explicit LineDisplay(Output* output) : output_(*output) {}

  void Show(const WatchPicture& picture, bool) override {
    for (const std::string& line : narrator_.Tell(picture)) {
      output_.PrintText(absl::StrCat(line, "\n"));
    }
  }

 private:
  Output& output_;
  WatchNarrator narrator_;
};

class MessageDisplay final : public Display {
 public:
  explicit MessageDisplay(Output* output) : output_(*output) {}

  void Show(const WatchPicture& picture, bool job_changed) override {
    if (job_changed) output_.PrintNext(picture.job, "");
  }

 private:
  Output& output_;
};

std::unique_ptr<Display> MakeDisplay(const Invocation& invocation, WatchStyle style) {
  Output& output = invocation.output();
  if (!output.is_for_people()) return std::make_unique<MessageDisplay>(&output);
  Terminal* terminal = invocation.surroundings.terminal;
  if (terminal == nullptr || style == WatchStyle::kLines ||
      invocation.surroundings.environment.line_terminal) {
    return std::make_unique<LineDisplay>(&output);
  }
  return std::make_unique<PictureDisplay>(
      terminal, !invocation.options.no_color && !invocation.surroundings.environment.no_color);
}

// One WatchJob stream, read on a thread of its own so that the clock on the screen goes on. Keeps
// the newest job only: a slow terminal skips pictures. Thread-safe.
class JobStream {
 public:
  JobStream(CoordinatorClient* client, const std::string& job_id)
      : client_(*client), job_id_(job_id), thread_([this] { Read(); }) {}
  ~JobStream() { thread_.join(); }

  struct Event {
    std::optional<v1::Job> job;         // A newer job.
    std::optional<absl::Status> ended;  // The stream ended, with nothing more to come.
  };

  // Waits at most `limit`; the event is empty if nothing happened.
  Event Next(absl::Duration limit) {
    absl::MutexLock lock(&mu_);
    changed_.AwaitFor(&mu_, limit,
                      [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return HasNews(); });
    Event event;
    event.job = std::exchange(newest_, std::nullopt);
    event.ended = ended_;
    return event;
  }

 private:
  bool HasNews() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return newest_ || ended_; }

  void Read() {
    absl::Status status = client_.WatchJob(job_id_, [this](v1::Job job) {
      absl::MutexLock lock(&mu_);
      newest_ = std::move(job);
      changed_.SignalAll();
    });
    absl::MutexLock lock(&mu_);
    ended_ = std::move(status);
    changed_.SignalAll();
  }

  CoordinatorClient& client_;
  const std::string job_id_;

  absl::Mutex mu_;
  SteadyCondVar changed_;
  std::optional<v1::Job> newest_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;  // Last: it starts when everything else is ready.
};

// Fetches the rounds that were committed since the last time. What cannot be fetched now is fetched
// with the next change.
void FillCommitted(CoordinatorClient& client, WatchPicture* picture) {
  if (picture->job.rounds_committed() <= picture->committed.size()) return;
  absl::StatusOr<v1::ListRoundsResponse> rounds = client.ListRounds(picture->job.id());
  if (!rounds.ok()) return;
  picture->committed.clear();
  for (v1::Round& round : *rounds->mutable_rounds()) {
    if (round.phase() == v1::ROUND_PHASE_COMMITTED) picture->committed.push_back(std::move(round));
  }
}

class Watch {
 public:
  Watch(const Invocation& invocation, CoordinatorClient& client, Display& display)
      : invocation_(invocation), client_(client), display_(display) {}

  // Follows one stream to its end; OK if the job has ended, else why the stream did.
  absl::Status FollowStream(const std::string& job_id) {
    JobStream stream(&client_, job_id);
    for (;;) {
      JobStream::Event event = stream.Next(kTick);
      if (event.job) {
        picture_.job = *std::move(event.job);
        picture_.note.clear();
        seen_ = true;
        FillCommitted(client_, &picture_);
      }
      if (seen_) Show(event.job.has_value());
      if (event.ended) {
        if (seen_ && HasEnded(picture_.job)) return absl::OkStatus();
        return event.ended->ok() ? absl::UnavailableError("the coordinator closed the connection")
                                 : *event.ended;
      }
    }
  }

  void ShowNote(const std::string& note) {
    picture_.note = note;
    Show(/*job_changed=*/false);
  }

  bool seen() const { return seen_; }
  const v1::Job& job() const { return picture_.job; }

 private:
  void Show(bool job_changed) {
    picture_.now = invocation_.Now();
    display_.Show(picture_, job_changed);
  }

  const Invocation& invocation_;
  CoordinatorClient& client_;
  Display& display_;
  WatchPicture picture_;
  bool seen_ = false;
};

absl::Status FollowToTheEnd(const Invocation& invocation, Watch& watch, const std::string& job_id) {
  Interruption& interruption = *invocation.surroundings.interruption;
  Backoff backoff(limits::kBackoffFirst, kRetryMax, invocation.surroundings.random);
  int refusals_in_a_row = 0;
  for (;;) {
    const absl::Time started = invocation.Now();
    const absl::Status status = watch.FollowStream(job_id);
    if (status.ok()) return status;
    ENTENTE_RETURN_IF_ERROR(interruption.Check());
    refusals_in_a_row = absl::IsUnauthenticated(status) ? refusals_in_a_row + 1 : 0;
    const bool may_pass = absl::IsUnavailable(status) || (absl::IsUnauthenticated(status) &&
                                                          refusals_in_a_row < kRefusalsInARowMax);
    if (!watch.seen() || !may_pass) return status;
    if (invocation.Now() - started > kRetryMax) backoff.Reset();
    watch.ShowNote(absl::StrCat(status.message(), "; the job may well go on; trying again"));
    if (interruption.WaitFor(backoff.Next())) return interruption.Check();
  }
}

}  // namespace

absl::StatusOr<ExitCode> WatchJobToItsEnd(const Invocation& invocation, CoordinatorClient& client,
                                          const std::string& job_id, WatchStyle style) {
  v1::Job job;
  {
    const std::unique_ptr<Display> display = MakeDisplay(invocation, style);
    Watch watch(invocation, client, *display);
    const absl::Status status = FollowToTheEnd(invocation, watch, job_id);
    if (status.code() == absl::StatusCode::kCancelled) {
      return absl::CancelledError(absl::StrCat(
          "stopped watching; the job goes on, \"entente job watch ", job_id, "\" shows it again"));
    }
    ENTENTE_RETURN_IF_ERROR(status);
    job = watch.job();
  }
  if (job.state() == v1::JOB_STATE_COMPLETED) return ExitCode::kOk;
  return ExitCode::kJobNotCompleted;
}

}  // namespace entente::cli
