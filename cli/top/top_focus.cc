// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_focus.h"

#include <algorithm>
#include <utility>

namespace entente::cli {
namespace {

// `index` of `count` after `key`.
size_t Moved(size_t index, Key key, size_t count, size_t page_rows) {
  if (count == 0) return 0;
  const size_t last = count - 1;
  const size_t step =
      key == Key::kPageUp || key == Key::kPageDown ? std::max<size_t>(1, page_rows) : 1;
  switch (key) {
    case Key::kUp:
    case Key::kPageUp:
      return index > step ? index - step : 0;
    case Key::kDown:
    case Key::kPageDown:
      return std::min(last, index + step);
    case Key::kHome:
      return 0;
    case Key::kEnd:
      return last;
    default:
      return std::min(last, index);
  }
}

TopFocus AfterOnOverview(TopFocus focus, Key key, const TopPicture& picture, size_t page_rows) {
  if (key == Key::kTab) {
    focus.pane =
        focus.pane == TopFocus::Pane::kJobs ? TopFocus::Pane::kFederation : TopFocus::Pane::kJobs;
    return focus;
  }
  if (focus.pane == TopFocus::Pane::kFederation) {
    const std::vector<std::string> rows = FederationRows(picture);
    if (!rows.empty()) {
      focus.worker = rows[Moved(ChosenWorker(picture, focus), key, rows.size(), page_rows)];
    }
    return focus;
  }
  if (picture.jobs.empty()) return focus;
  // Only what was chosen by hand stays chosen: a newer job takes the place of the first else.
  if (key == Key::kEnter || ChosenJob(picture, focus) != Moved(ChosenJob(picture, focus), key,
                                                               picture.jobs.size(), page_rows)) {
    focus.job = picture.jobs[Moved(ChosenJob(picture, focus), key, picture.jobs.size(), page_rows)]
                    .job.id();
  }
  if (key == Key::kEnter) {
    focus.page = TopFocus::Page::kJob;
    focus.participants_skipped = 0;
  }
  return focus;
}

TopFocus AfterOnJob(TopFocus focus, Key key, const TopPicture& picture, size_t page_rows) {
  if (key == Key::kBack && !focus.only_job) {
    focus.page = TopFocus::Page::kOverview;
    return focus;
  }
  const TopJob* const job = FindJob(picture, focus.job);
  const size_t count =
      job == nullptr ? 0 : static_cast<size_t>(job->job.round().participants_size());
  focus.participants_skipped = Moved(focus.participants_skipped, key, count, page_rows);
  return focus;
}

}  // namespace

std::vector<std::string> FederationRows(const TopPicture& picture) {
  std::vector<std::string> rows;
  for (const v1::Member& member : picture.members) {
    if (member.workers().empty()) rows.push_back(member.id());
    for (const v1::Worker& worker : member.workers()) rows.push_back(worker.id());
  }
  return rows;
}

size_t ChosenWorker(const TopPicture& picture, const TopFocus& focus) {
  const std::vector<std::string> rows = FederationRows(picture);
  const auto found = std::find(rows.begin(), rows.end(), focus.worker);
  return found == rows.end() ? 0 : static_cast<size_t>(found - rows.begin());
}

size_t ChosenJob(const TopPicture& picture, const TopFocus& focus) {
  for (size_t i = 0; i < picture.jobs.size(); ++i) {
    if (picture.jobs[i].job.id() == focus.job) return i;
  }
  return 0;
}

TopFocus FocusAfter(TopFocus focus, Key key, const TopPicture& picture, size_t page_rows) {
  if (key == Key::kNone || key == Key::kResized) return focus;
  if (focus.help || key == Key::kHelp) {
    focus.help = !focus.help;
    return focus;
  }
  return focus.page == TopFocus::Page::kOverview
             ? AfterOnOverview(std::move(focus), key, picture, page_rows)
             : AfterOnJob(std::move(focus), key, picture, page_rows);
}

}  // namespace entente::cli
