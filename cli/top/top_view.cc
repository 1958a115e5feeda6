// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top_view.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/job_text.h"
#include "cli/member_text.h"
#include "cli/text_layout.h"
#include "cli/text_painter.h"
#include "cli/watch_view.h"
#include "common/config/proto_time.h"

namespace entente::cli {
namespace {

constexpr size_t kWorkerColumnMax = 28;
constexpr size_t kJobColumnMax = 32;
constexpr size_t kStateColumn = 16;  // "gone 17 min 02 s".
constexpr size_t kSparkColumns = 10;
// From these widths on a job's row has room for sparklines, and for what it waits for.
constexpr size_t kSparkWidthMin = 96;
constexpr size_t kWaitColumnMin = 16;
// From a terminal of 120 columns on, less the two before each row, a worker's row has what else is
// known of it. The bar then needs more: how many steps are done must not be cut off for it.
constexpr size_t kFactsWidthMin = 118;
constexpr size_t kBarWidthMin = 72;
constexpr size_t kBarAndFactsWidthMin = 140;

std::string AtBothEnds(const std::string& left, const std::string& right, size_t width) {
  const size_t used = DisplayWidth(left) + DisplayWidth(right);
  if (used + 2 > width) return Clip(left, width);
  return absl::StrCat(left, std::string(width - used, ' '), right);
}

// Participants of rounds in flight by worker: what each has done of its task.
std::map<std::string, const v1::Participant*> ProgressOfWorkers(const TopPicture& picture) {
  std::map<std::string, const v1::Participant*> progress;
  for (const TopJob& job : picture.jobs) {
    if (HasEnded(job.job)) continue;
    for (const v1::Participant& participant : job.job.round().participants()) {
      if (participant.state() != v1::PARTICIPANT_STATE_WORKING) continue;
      if (participant.step_count() > 0) progress[participant.worker()] = &participant;
    }
  }
  return progress;
}

// A row before it is cut to the width and painted.
struct Row {
  std::string text;
  const char* style = nullptr;  // Null: none.
};

std::string DoingText(const v1::Worker& worker, const v1::Participant* progress, bool with_bar) {
  std::string text = ActivityText(worker);
  if (worker.connected() && !worker.has_away() && progress != nullptr) {
    const double done =
        static_cast<double>(progress->step()) / static_cast<double>(progress->step_count());
    absl::StrAppend(&text, " ", with_bar ? Bar(done, 10) + " " : "", progress->step(), "/",
                    progress->step_count());
  }
  return text.empty() && worker.connected() ? "idle" : text;
}

// Since when it is not connected, as far as is known.
std::string StateText(const v1::Worker& worker, absl::Time now) {
  if (worker.connected()) return worker.has_away() ? "away" : "connected";
  if (!worker.has_last_seen_at()) return "gone";
  return absl::StrCat("gone ", ShortDuration(now - ToTime(worker.last_seen_at())));
}

std::string CertificateLeftText(const v1::Worker& worker, absl::Time now) {
  if (!worker.has_certificate_expires_at()) return "";
  const int64_t hours = absl::ToInt64Hours(ToTime(worker.certificate_expires_at()) - now);
  if (ToTime(worker.certificate_expires_at()) <= now) return "expired";
  return hours >= 48 ? absl::StrCat("cert ", hours / 24, " d") : absl::StrCat("cert ", hours, " h");
}

// Version, certificate, bytes from the worker and to it.
using Facts = std::array<std::string, 3>;
using FactWidths = std::array<size_t, 3>;

// What somebody wrote must not take the room of the rest.
constexpr FactWidths kFactColumnsMax = {12, 12, 23};

Facts FactsOf(const v1::Worker& worker, absl::Time now) {
  return {Printable(worker.version()), CertificateLeftText(worker, now),
          absl::StrCat("↑", BytesText(worker.bytes_up()), " ↓", BytesText(worker.bytes_down()))};
}

// All 0 where there is no room.
FactWidths FactWidthsOf(const TopPicture& picture, size_t width) {
  FactWidths widths = {0, 0, 0};
  if (width < kFactsWidthMin) return widths;
  for (const v1::Member& member : picture.members) {
    for (const v1::Worker& worker : member.workers()) {
      const Facts facts = FactsOf(worker, picture.now);
      for (size_t i = 0; i < facts.size(); ++i) {
        widths[i] = std::max(widths[i], std::min(DisplayWidth(facts[i]), kFactColumnsMax[i]));
      }
    }
  }
  return widths;
}

std::string FactsText(const Facts& facts, const FactWidths& widths) {
  std::string text;
  for (size_t i = 0; i < facts.size(); ++i) {
    if (widths[i] > 0) absl::StrAppend(&text, Pad(facts[i], widths[i]), "  ");
  }
  return text;
}

std::vector<Row> WorkerRows(const TopPicture& picture, size_t width) {
  const std::map<std::string, const v1::Participant*> progress = ProgressOfWorkers(picture);
  size_t name_width = 0;
  for (const std::string& name : FederationRows(picture)) {
    name_width = std::max(name_width, DisplayWidth(name));
  }
  name_width = std::min({name_width, kWorkerColumnMax, width / 3});
  const FactWidths fact_widths = FactWidthsOf(picture, width);
  const bool with_bar = width >= (width < kFactsWidthMin ? kBarWidthMin : kBarAndFactsWidthMin);
  std::vector<Row> rows;
  for (const v1::Member& member : picture.members) {
    const std::string head = absl::StrCat(Pad(Printable(member.jurisdiction()), 2), "  ");
    if (member.workers().empty()) {
      rows.push_back(
          {.text = absl::StrCat(head, Pad(Printable(member.id()), name_width), "  no worker yet"),
           .style = kDim});
    }
    for (const v1::Worker& worker : member.workers()) {
      const auto found = progress.find(worker.id());
      const std::string doing =
          DoingText(worker, found == progress.end() ? nullptr : found->second, with_bar);
      rows.push_back({.text = absl::StrCat(head, Pad(Printable(worker.id()), name_width), "  ",
                                           Pad(StateText(worker, picture.now), kStateColumn), "  ",
                                           FactsText(FactsOf(worker, picture.now), fact_widths),
                                           Printable(doing)),
                      .style = !worker.connected() ? kRed
                               : worker.has_away() ? kYellow
                                                   : nullptr});
    }
  }
  return rows;
}

std::string LeftText(const v1::Job& job, absl::Time now) {
  if (HasEnded(job)) return absl::StrCat("took ", ShortDuration(Elapsed(job, now)));
  if (!job.has_expected_end_at()) return "-";
  if (IsLate(job, now)) return "late";
  return absl::StrCat(ShortDuration(ToTime(job.expected_end_at()) - now), " left");
}

// "0.6123 █▅▂▁" and "78.2 % ▁▄▆█", both of held-out data, without the lines if there is no room.
std::string MeasuresText(const TopJob& job, bool with_lines) {
  std::vector<double> losses;
  std::vector<double> accuracies;
  for (const v1::Round& round : job.committed) {
    if (round.evaluation().examples() > 0) losses.push_back(round.evaluation().loss());
    if (round.evaluation().has_accuracy()) accuracies.push_back(round.evaluation().accuracy());
  }
  const v1::Metrics& metrics = job.job.evaluation();
  std::string loss;
  if (metrics.examples() > 0) {
    loss = LossText(metrics.loss());
  } else if (!losses.empty()) {
    loss = LossText(losses.back());
  }
  const std::string accuracy = metrics.has_accuracy() ? PercentText(metrics.accuracy()) : "";
  if (!with_lines) return absl::StrCat(Pad(loss, 6), "  ", Pad(accuracy, 7));
  return absl::StrCat(Pad(loss, 6), " ", Pad(Sparkline(losses, kSparkColumns), kSparkColumns), "  ",
                      Pad(accuracy, 7), " ",
                      Pad(Sparkline(accuracies, kSparkColumns), kSparkColumns));
}

std::string WaitText(const v1::Job& job) {
  if (HasEnded(job)) return job.reason();
  if (job.state() == v1::JOB_STATE_PAUSED && !job.reason().empty()) return job.reason();
  if (!job.round().waiting_for().empty()) return job.round().waiting_for();
  return RoundPhaseWord(job.round().phase());
}

const char* StyleOf(v1::JobState state) {
  if (state == v1::JOB_STATE_RUNNING) return nullptr;
  if (state == v1::JOB_STATE_COMPLETED) return kGreen;
  return state == v1::JOB_STATE_PAUSED ? kYellow : kRed;
}

std::vector<Row> JobRows(const TopPicture& picture, size_t width) {
  size_t name_width = 0;
  size_t round_width = 0;
  for (const TopJob& job : picture.jobs) {
    name_width = std::max(name_width, DisplayWidth(job.job.id()));
    round_width = std::max(round_width, DisplayWidth(RoundPosition(job.job)));
  }
  name_width = std::min({name_width, kJobColumnMax, width / 3});
  std::vector<Row> rows;
  for (const TopJob& job : picture.jobs) {
    std::string text = absl::StrCat(
        Pad(Printable(job.job.id()), name_width), "  ", Pad(JobStateWord(job.job.state()), 9), "  ",
        Pad(RoundPosition(job.job), round_width), "  ", Pad(LeftText(job.job, picture.now), 16));
    const std::string measures = MeasuresText(job, width >= kSparkWidthMin);
    if (DisplayWidth(text) + 2 + DisplayWidth(measures) <= width) {
      absl::StrAppend(&text, "  ", measures);
    }
    if (DisplayWidth(text) + 2 + kWaitColumnMin <= width) {
      absl::StrAppend(&text, "  ", Printable(WaitText(job.job)));
    }
    rows.push_back({.text = std::string(absl::StripTrailingAsciiWhitespace(text)),
                    .style = StyleOf(job.job.state())});
  }
  return rows;
}

// What one section of the overview shows.
struct Section {
  std::string title;
  std::vector<Row> rows;
  size_t chosen = 0;
  bool focused = false;
};

Section FederationSection(const TopPicture& picture, const TopFocus& focus, size_t width) {
  size_t workers = 0;
  size_t connected = 0;
  for (const v1::Member& member : picture.members) {
    for (const v1::Worker& worker : member.workers()) {
      ++workers;
      if (worker.connected()) ++connected;
    }
  }
  return {.title = absl::StrCat("FEDERATION  ", Plural(picture.members.size(), "member"), ", ",
                                connected, " of ", Plural(workers, "worker"), " connected"),
          .rows = WorkerRows(picture, width),
          .chosen = ChosenWorker(picture, focus),
          .focused = focus.pane == TopFocus::Pane::kFederation};
}

Section JobsSection(const TopPicture& picture, const TopFocus& focus, size_t width) {
  const auto running =
      std::count_if(picture.jobs.begin(), picture.jobs.end(),
                    [](const TopJob& job) { return job.job.state() == v1::JOB_STATE_RUNNING; });
  return {.title = absl::StrCat("JOBS  ", running, " running, ",
                                picture.jobs.size() + picture.jobs_left_out, " in all"),
          .rows = JobRows(picture, width),
          .chosen = ChosenJob(picture, focus),
          .focused = focus.pane == TopFocus::Pane::kJobs};
}

// The title and `room` rows, the chosen one near the middle where there are more; the last line
// says how many are not shown.
void AppendSection(const Section& section, size_t room, const TopViewOptions& options,
                   std::vector<std::string>* lines) {
  const TextPainter painter(options.colour);
  lines->push_back(painter.Paint(Clip(section.title, options.width), kBold));
  const size_t count = section.rows.size();
  const bool all = count <= room;
  const size_t shown = all ? count : (room > 0 ? room - 1 : 0);
  const size_t first =
      all ? 0 : std::min(section.chosen - std::min(section.chosen, shown / 2), count - shown);
  for (size_t i = first; i < first + shown; ++i) {
    const bool is_chosen = section.focused && i == section.chosen;
    const std::string text =
        Clip(absl::StrCat(is_chosen ? "> " : "  ", section.rows[i].text), options.width);
    const char* const style = is_chosen ? kReverse : section.rows[i].style;
    lines->push_back(style == nullptr ? text : painter.Paint(text, style));
  }
  if (!all && room > 0) {
    lines->push_back(painter.Paint(
        Clip(absl::StrCat("  ", first + 1, " to ", first + shown, " of ", count), options.width),
        kDim));
  }
}

// How many rows each of the two sections gets of `room`: both all of theirs if they can, else half
// or what the other one leaves.
std::pair<size_t, size_t> Shares(size_t room, size_t federation, size_t jobs) {
  const size_t half = room / 2;
  if (federation + jobs <= room) return {federation, jobs};
  if (jobs < room - half) return {room - jobs, jobs};
  if (federation < half) return {federation, room - federation};
  return {half, room - half};
}

std::string TitleLine(const TopPicture& picture, const TopViewOptions& options) {
  const TextPainter painter(options.colour);
  return AtBothEnds(
      absl::StrCat(painter.Paint("entente top", kBold), "  ", Printable(picture.coordinator)),
      TimeText(picture.now), options.width);
}

void AppendNote(const TopPicture& picture, const TopViewOptions& options,
                std::vector<std::string>* lines) {
  const TextPainter painter(options.colour);
  for (const std::string& line : Wrap(Printable(picture.note), options.width)) {
    lines->push_back(painter.Paint(line, kYellow));
  }
}

std::vector<std::string> Overview(const TopPicture& picture, const TopFocus& focus,
                                  const TopViewOptions& options) {
  // Two columns stand before each row, for what marks the chosen one.
  const size_t row_width = options.width > 2 ? options.width - 2 : 0;
  const Section federation = FederationSection(picture, focus, row_width);
  const Section jobs = JobsSection(picture, focus, row_width);
  std::vector<std::string> lines = {TitleLine(picture, options)};
  AppendNote(picture, options, &lines);
  // Two titles, and the empty lines before them.
  const size_t fixed = lines.size() + 4;
  const size_t room = options.height > fixed ? options.height - fixed : 0;
  const auto [federation_rows, job_rows] = Shares(room, federation.rows.size(), jobs.rows.size());
  lines.emplace_back();
  AppendSection(federation, federation_rows, options, &lines);
  lines.emplace_back();
  AppendSection(jobs, job_rows, options, &lines);
  return lines;
}

std::vector<std::string> JobPage(const TopPicture& picture, const TopFocus& focus,
                                 const TopViewOptions& options) {
  const TopJob* const job = FindJob(picture, focus.job);
  if (job == nullptr) {
    std::vector<std::string> lines = {
        Clip(absl::StrCat("there is no job ", Printable(focus.job), " any more"), options.width)};
    AppendNote(picture, options, &lines);
    return lines;
  }
  return WatchLines(
      {.job = job->job, .committed = job->committed, .now = picture.now, .note = picture.note},
      {.width = options.width,
       .height = options.height,
       .colour = options.colour,
       .participants_skipped = focus.participants_skipped});
}

std::vector<std::string> HelpPage(const TopFocus& focus, const TopViewOptions& options) {
  std::vector<std::string> lines = {
      "keys",
      "",
      "  up, down, j, k      one row",
      "  page up, page down  a page of rows",
      "  home, end, g, G     the first, the last",
  };
  if (!focus.only_job) {
    lines.insert(lines.end(), {
                                  "  Tab                 the federation, or the jobs",
                                  "  Enter               the chosen job",
                                  "  Escape, left        back to all",
                              });
  }
  lines.insert(lines.end(), {
                                "  ?, h                this, and away again",
                                "  q, Ctrl-C           leave; jobs go on",
                            });
  for (std::string& line : lines) line = Clip(line, options.width);
  return lines;
}

std::string KeysLine(const TopFocus& focus) {
  if (focus.help) return "any key: back";
  if (focus.only_job) return "↑↓ scroll  ? help  q leave, the job goes on";
  if (focus.page == TopFocus::Page::kJob) return "↑↓ scroll  Esc back  ? help  q quit";
  return "↑↓ choose  Enter open  Tab federation or jobs  ? help  q quit";
}

}  // namespace

std::vector<std::string> TopLines(const TopPicture& picture, const TopFocus& focus,
                                  const TopViewOptions& options) {
  const size_t body_height = options.height > 1 ? options.height - 1 : 0;
  const TopViewOptions body = {
      .width = options.width, .height = body_height, .colour = options.colour};
  std::vector<std::string> lines = focus.help ? HelpPage(focus, body)
                                   : focus.page == TopFocus::Page::kJob
                                       ? JobPage(picture, focus, body)
                                       : Overview(picture, focus, body);
  lines.resize(body_height);
  // Where a view would rather have one column too many than none.
  for (std::string& line : lines) line = Clip(line, options.width);
  const TextPainter painter(options.colour);
  if (options.height > 0) {
    lines.push_back(painter.Paint(Clip(KeysLine(focus), options.width), kDim));
  }
  return lines;
}

std::vector<std::string> TopReport(const TopPicture& picture, size_t width) {
  const TopViewOptions options = {.width = width, .height = 0, .colour = false};
  Section federation = FederationSection(picture, {}, width);
  Section jobs = JobsSection(picture, {}, width);
  federation.focused = false;
  jobs.focused = false;
  std::vector<std::string> lines = {TitleLine(picture, options), ""};
  AppendSection(federation, federation.rows.size(), options, &lines);
  lines.emplace_back();
  AppendSection(jobs, jobs.rows.size(), options, &lines);
  return lines;
}

}  // namespace entente::cli
