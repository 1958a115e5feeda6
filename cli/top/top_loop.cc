// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_loop.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/job_text.h"
#include "cli/top/top_view.h"
#include "cli/watch_view.h"
#include "common/base/status_macros.h"

namespace entente::cli {
namespace {

// How long a change may wait for its drawing, and a signal for its end.
constexpr absl::Duration kKeyWait = absl::Milliseconds(200);

bool WantsColour(const Invocation& invocation) {
  return !invocation.options.no_color && !invocation.surroundings.environment.no_color;
}

// Draws only what is new: a change, another second on the clocks, a key.
class Frames {
 public:
  Frames(const Invocation& invocation, Screen& screen, TopFeed& feed)
      : invocation_(invocation), screen_(screen), feed_(feed) {}

  // Returns the picture as it is drawn, or was.
  const TopPicture& Show(const TopFocus& focus, bool anyway) {
    const absl::Time now = absl::FromUnixSeconds(absl::ToUnixSeconds(invocation_.Now()));
    const uint64_t revision = feed_.revision();
    if (!anyway && revision == revision_ && now == picture_.now) return picture_;
    revision_ = revision;
    picture_ = feed_.Picture();
    picture_.now = now;
    const Screen::Size size = screen_.size();
    screen_.Draw(
        TopLines(picture_, focus,
                 {.width = size.width, .height = size.height, .colour = WantsColour(invocation_)}));
    return picture_;
  }

 private:
  const Invocation& invocation_;
  Screen& screen_;
  TopFeed& feed_;
  uint64_t revision_ = 0;
  TopPicture picture_;
};

}  // namespace

TopEnd ShowTop(const Invocation& invocation, Screen& screen, TopFeed& feed, TopFocus focus) {
  Frames frames(invocation, screen, feed);
  Key key = Key::kResized;
  for (;;) {
    const TopPicture& picture = frames.Show(focus, /*anyway=*/key != Key::kNone);
    if (invocation.surroundings.interruption->triggered()) return TopEnd::kInterrupted;
    if (focus.only_job) {
      const TopJob* const job = FindJob(picture, focus.job);
      if (job != nullptr && HasEnded(job->job)) return TopEnd::kJobEnded;
    }
    key = screen.NextKey(kKeyWait);
    if (key == Key::kGone) return TopEnd::kGone;
    if (key == Key::kQuit) return TopEnd::kQuit;
    const size_t height = screen.size().height;
    focus = FocusAfter(std::move(focus), key, picture, height / 2);
    if (focus.page == TopFocus::Page::kJob) feed.LookAt(focus.job);
  }
}

bool HasFullScreen(const Invocation& invocation) {
  const Surroundings& surroundings = invocation.surroundings;
  return surroundings.open_screen != nullptr && !surroundings.environment.line_terminal &&
         invocation.output().is_for_people();
}

absl::StatusOr<ExitCode> WatchJobOnScreen(const Invocation& invocation, const std::string& job_id) {
  ENTENTE_ASSIGN_OR_RETURN(const ConnectionTarget target, invocation.Target());
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TopFeed> feed,
                           TopFeed::Create(target, invocation.timeout, job_id,
                                           {.clock = invocation.surroundings.clock,
                                            .interruption = invocation.surroundings.interruption}));
  ENTENTE_RETURN_IF_ERROR(feed->FetchOnce());
  TopEnd end = TopEnd::kQuit;
  {
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<Screen> screen,
                             invocation.surroundings.open_screen());
    feed->Start();
    TopFocus focus;
    focus.page = TopFocus::Page::kJob;
    focus.only_job = true;
    focus.job = job_id;
    end = ShowTop(invocation, *screen, *feed, std::move(focus));
  }
  static_cast<void>(feed->FetchOnce());  // The last rounds, if they can still be had.
  TopPicture picture = feed->Picture();
  if (picture.jobs.empty()) return absl::NotFoundError(absl::StrCat("there is no job ", job_id));
  WatchPicture last = {.job = picture.jobs[0].job,
                       .committed = picture.jobs[0].committed,
                       .now = invocation.Now(),
                       .note = picture.note};
  const Terminal::Size size = invocation.surroundings.terminal->size();
  for (const std::string& line : WatchLines(last, {.width = size.width,
                                                  .height = size.height > 1 ? size.height - 1 : 1,
                                                  .colour = WantsColour(invocation)})) {
    invocation.surroundings.terminal->Write(absl::StrCat(line, "\r\n"));
  }
  if (end != TopEnd::kJobEnded) {
    return absl::CancelledError(absl::StrCat(
        "stopped watching; the job goes on, \"entente job watch ", job_id, "\" shows it again"));
  }
  return last.job.state() == v1::JOB_STATE_COMPLETED ? ExitCode::kOk : ExitCode::kJobNotCompleted;
}

}  // namespace entente::cli
