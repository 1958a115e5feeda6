// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_JOURNAL_LINE_H_
#define COORDINATOR_HTTP_JOURNAL_LINE_H_

// An entry of the journal for people: a name to filter by, and a sentence.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "coordinator/store/journal.h"

namespace entente::dashboard {

// How good the news is.
enum class Tone { kGood, kNeutral, kBad };

struct JournalLine {
  std::string event;  // "update accepted", one of EventNames
  Tone tone = Tone::kNeutral;
  std::string worker = {};    // Empty if it is about none.
  uint32_t round_index = 0;   // With `attempt`, of an event of a round.
  uint32_t attempt = 0;       // 0: of the job as a whole.
  std::string sentence = {};  // "fr-lab/gpu-1 sent an update: 26 KB from 1,200 examples, loss 0.53"
};

// Every event that a line may have.
std::vector<absl::string_view> EventNames();

// "1.2 MB"
std::string BytesText(uint64_t bytes);

// An entry that cannot be read says so. `setback`, as Setbacks has it, is what the event led to: it
// ends the sentence and makes it bad news.
JournalLine LineOf(const store::JournalEntry& entry, absl::string_view setback = "");

// {"position", "jobId", "sequence", "at", "event", "tone", "worker", "round", "attempt",
// "sentence"}; rounds count from 1 here. What does not apply is left out, as is a position of 0.
nlohmann::ordered_json LineJson(const store::JournalEntry& entry, uint64_t position,
                                absl::string_view setback = "");

// What somebody wants to see of the journal; an empty text fits everything.
struct LineFilter {
  std::string event = {};  // As JournalLine::event.
  std::string worker =
      {};                 // The beginning of a worker's id: a member's id fits all of its workers.
  std::string text = {};  // Somewhere in the sentence, the event or the worker; case is ignored.
  bool bad_only = false;
};
bool Fits(const LineFilter& filter, const JournalLine& line);

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_JOURNAL_LINE_H_
