// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/job_text.h"
#include "cli/text_layout.h"
#include "cli/text_painter.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

// Below these widths the bars of participants, then their activity, make room for the rest.
constexpr size_t kBarWidthMin = 72;
constexpr size_t kJurisdictionWidthMin = 40;
constexpr size_t kWorkerWidthMax = 28;
constexpr size_t kDetailWidthMin = 24;

const char* ColourOf(v1::JobState state) {
  if (state == v1::JOB_STATE_COMPLETED) return kGreen;
  if (state == v1::JOB_STATE_PAUSED) return kYellow;
  return state == v1::JOB_STATE_RUNNING ? kBold : kRed;
}

const char* ColourOf(v1::ParticipantState state) {
  switch (state) {
    case v1::PARTICIPANT_STATE_ACCEPTED:
      return kGreen;
    case v1::PARTICIPANT_STATE_REFUSED:
    case v1::PARTICIPANT_STATE_MISSING:
    case v1::PARTICIPANT_STATE_FAILED:
      return kRed;
    case v1::PARTICIPANT_STATE_DECLINED:
    case v1::PARTICIPANT_STATE_SKIPPED:
      return kYellow;
    default:
      return kBold;
  }
}

// `left` and `right` at the two ends of a line; `right` goes where there is no room for both.
std::string Ends(const std::string& left, const std::string& right, size_t width) {
  const size_t used = DisplayWidth(left) + DisplayWidth(right) + 2;
  if (right.empty() || used > width) return Clip(left, width);
  return absl::StrCat(left, std::string(width - used + 2, ' '), right);
}

std::string TimesText(const WatchPicture& picture) {
  const v1::Job& job = picture.job;
  std::string text = ShortDuration(Elapsed(job, picture.now));
  if (!HasEnded(job) && job.has_expected_end_at()) {
    const absl::Duration left = ToTime(job.expected_end_at()) - picture.now;
    absl::StrAppend(&text, IsLate(job, picture.now)
                               ? std::string(", later than expected")
                               : absl::StrCat(", about ", ShortDuration(left), " left"));
  }
  return text;
}

// Rounds committed, and how far the one in flight has come, as a share of all.
double Progress(const v1::Job& job) {
  if (job.round_count() == 0) return 0;
  double rounds = job.rounds_committed();
  const v1::Round& round = job.round();
  const bool in_flight = job.has_round() && round.round_index() >= job.rounds_committed();
  if (in_flight && round.updates_required() > 0) {
    rounds += 0.9 * std::min(1.0, static_cast<double>(round.updates_accepted()) /
                                      static_cast<double>(round.updates_required()));
  }
  return rounds / job.round_count();
}

void AppendWrapped(const std::string& text, const WatchViewOptions& options,
                   std::vector<std::string>* lines) {
  for (std::string& line : Wrap(text, options.width)) lines->push_back(std::move(line));
}

void AppendHead(const WatchPicture& picture, const WatchViewOptions& options,
                std::vector<std::string>* lines) {
  const TextPainter painter(options.colour);
  const v1::Job& job = picture.job;
  lines->push_back(
      Ends(absl::StrCat(painter.Paint(Printable(job.id()), kBold), "  ",
                        painter.Paint(JobStateWord(job.state()), ColourOf(job.state()))),
           TimesText(picture), options.width));
  std::string phase;
  if (HasEnded(job)) {
    phase = Printable(job.reason());
  } else if (job.has_round()) {
    phase = RoundPhaseWord(job.round().phase());
    if (job.round().attempt() > 1) absl::StrAppend(&phase, ", attempt ", job.round().attempt());
    if (!job.round().reason().empty())
      absl::StrAppend(&phase, ": ", Printable(job.round().reason()));
  }
  const size_t bar_width = std::min<size_t>(40, options.width / 4);
  const std::string round =
      absl::StrCat("round ", RoundPosition(job), "  ", Bar(Progress(job), bar_width));
  if (DisplayWidth(round) + 2 + DisplayWidth(phase) <= options.width) {
    lines->push_back(absl::StrCat(round, "  ", phase));
  } else {
    lines->push_back(Clip(round, options.width));
    AppendWrapped(phase, options, lines);
  }
  if (!HasEnded(job)) AppendWrapped(Printable(job.round().waiting_for()), options, lines);
  const size_t note_begins = lines->size();
  AppendWrapped(Printable(picture.note), options, lines);
  for (size_t i = note_begins; i < lines->size(); ++i) {
    (*lines)[i] = painter.Paint((*lines)[i], kYellow);
  }
}

// What a participant is doing or has done, beside its state.
std::string ParticipantDetail(const v1::Participant& participant, bool with_bar) {
  if (!participant.reason().empty()) return Printable(participant.reason());
  std::vector<std::string> parts;
  if (participant.state() == v1::PARTICIPANT_STATE_ACCEPTED) {
    parts.push_back(absl::StrCat(WithCommas(participant.examples()), " examples"));
    if (participant.update_bytes() > 0) parts.push_back(BytesText(participant.update_bytes()));
    if (participant.weight() > 0) {
      parts.push_back(absl::StrCat("weight ", PercentText(participant.weight())));
    }
  } else if (participant.step_count() > 0) {
    const double done =
        static_cast<double>(participant.step()) / static_cast<double>(participant.step_count());
    parts.push_back(absl::StrCat(Printable(participant.activity()), " ",
                                 with_bar ? Bar(done, 12) + " " : "", participant.step(), "/",
                                 participant.step_count()));
  } else if (!participant.activity().empty()) {
    parts.push_back(Printable(participant.activity()));
  }
  if (participant.evaluation().examples() > 0) {
    parts.push_back(absl::StrCat("held-out ", MetricsText(participant.evaluation())));
  } else if (participant.training_loss() != 0) {
    parts.push_back(absl::StrCat("training loss ", LossText(participant.training_loss())));
  }
  return absl::StrJoin(parts, ", ");
}

// `head` and `detail` on a line; what does not fit goes on below, under the detail's begin or,
// where that leaves too little, indented. Takes the lines below from `spare`; if they do not
// suffice, the last one is clipped.
void AppendHanging(const std::string& head, const std::string& detail, size_t width, size_t* spare,
                   std::vector<std::string>* lines) {
  const size_t head_width = DisplayWidth(head);
  const bool has_column = head_width + kDetailWidthMin <= width;
  const size_t indent = has_column ? head_width : std::min<size_t>(4, width / 2);
  const std::string margin(indent, ' ');
  std::vector<std::string> details = Wrap(detail, width - indent);
  const bool fits = head_width + DisplayWidth(detail) <= width;
  // Without a column the head stands alone, and every line of the detail is one below it.
  const size_t below = fits || details.empty() ? 0 : details.size() - (has_column ? 1 : 0);
  if (below == 0 || *spare == 0) {
    lines->push_back(Clip(absl::StrCat(head, detail), width));
    return;
  }
  lines->push_back(Clip(absl::StrCat(head, has_column ? details[0] : ""), width));
  const size_t added = std::min(below, *spare);
  *spare -= added;
  const size_t first = details.size() - below;
  for (size_t i = 0; i < added; ++i) {
    const bool is_cut = i + 1 == added && added < below;
    lines->push_back(Clip(absl::StrCat(margin, details[first + i], is_cut ? " …" : ""), width));
  }
}

void AppendParticipants(const WatchPicture& picture, const WatchViewOptions& options,
                        size_t lines_max, std::vector<std::string>* lines) {
  const auto& participants = picture.job.round().participants();
  const auto count = static_cast<size_t>(participants.size());
  if (count == 0 || lines_max < 3) return;
  const TextPainter painter(options.colour);
  size_t worker_width = 0;
  size_t state_width = 8;
  for (const v1::Participant& participant : participants) {
    worker_width = std::max(worker_width, DisplayWidth(participant.worker()));
    state_width = std::max(state_width, ParticipantStateWord(participant.state()).size());
  }
  worker_width = std::min({worker_width, kWorkerWidthMax, options.width / 2});
  lines->push_back("");
  const size_t room = lines_max - 1;
  const size_t shown = count <= room ? count : room - 1;
  const size_t first = std::min(options.participants_skipped, count - shown);
  const size_t end = first + shown;
  size_t spare = room - shown - (shown < count ? 1 : 0);  // For what does not fit a line.
  for (size_t i = first; i < end; ++i) {
    const v1::Participant& participant = participants[static_cast<int>(i)];
    const std::string jurisdiction = options.width < kJurisdictionWidthMin
                                         ? ""
                                         : Pad(Printable(participant.jurisdiction()), 2) + "  ";
    const std::string state = Pad(ParticipantStateWord(participant.state()), state_width);
    const std::string head = absl::StrCat(
        "  ", painter.Paint(jurisdiction, kDim), Pad(Printable(participant.worker()), worker_width),
        "  ", painter.Paint(state, ColourOf(participant.state())), "  ");
    AppendHanging(head, ParticipantDetail(participant, options.width >= kBarWidthMin),
                  options.width, &spare, lines);
  }
  if (first > 0) {
    lines->push_back(
        Clip(absl::StrCat("  ", first + 1, " to ", end, " of ", count), options.width));
  } else if (shown < count) {
    lines->push_back(Clip(absl::StrCat("  and ", count - shown, " more"), options.width));
  }
}

// "loss      0.6123  █▅▂▁"
std::string Chart(absl::string_view name, const std::string& last,
                  const std::vector<double>& values, size_t width) {
  const size_t name_width = std::max<size_t>(8, DisplayWidth(name));
  const std::string head = absl::StrCat(Pad(name, name_width), "  ", Pad(last, 7), "  ");
  const size_t used = DisplayWidth(head);
  const size_t room = width > used ? std::min<size_t>(60, width - used) : 0;
  return Clip(absl::StrCat(head, Sparkline(values, room)), width);
}

std::vector<std::string> FootLines(const WatchPicture& picture, const WatchViewOptions& options) {
  std::vector<std::string> lines = {""};
  const RoundLosses losses = LossesOf(picture.committed);
  std::vector<double> accuracies;
  for (const v1::Round& round : picture.committed) {
    if (round.evaluation().has_accuracy()) accuracies.push_back(round.evaluation().accuracy());
  }
  if (!losses.values.empty()) {
    lines.push_back(
        Chart(losses.name, LossText(losses.values.back()), losses.values, options.width));
  }
  if (!accuracies.empty()) {
    lines.push_back(Chart("accuracy", PercentText(accuracies.back()), accuracies, options.width));
  }
  lines.push_back(Clip(absl::StrCat(BytesText(picture.job.bytes_up()), " up, ",
                                    BytesText(picture.job.bytes_down()), " down"),
                       options.width));
  return lines;
}

}  // namespace

std::vector<std::string> WatchLines(const WatchPicture& picture, const WatchViewOptions& options) {
  std::vector<std::string> lines;
  AppendHead(picture, options, &lines);
  const std::vector<std::string> foot = FootLines(picture, options);
  const size_t taken = lines.size() + foot.size();
  if (options.height > taken) {
    AppendParticipants(picture, options, options.height - taken, &lines);
  }
  lines.insert(lines.end(), foot.begin(), foot.end());
  if (lines.size() > options.height) lines.resize(options.height);
  return lines;
}

}  // namespace entente::cli
