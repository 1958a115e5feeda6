// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_TRACE_H_
#define SIM_TRACE_H_

// What happened in a run, as a Mermaid sequence diagram (https://mermaid.js.org).

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sim/scheduler.h"

namespace entente::sim {

class Trace {
 public:
  // `scheduler` is borrowed. One that is not kept costs nothing: ask kept() before making texts.
  Trace(const Scheduler* scheduler, bool is_kept) : scheduler_(*scheduler), is_kept_(is_kept) {}

  bool kept() const { return is_kept_; }

  // Machine 0 is the coordinator.
  void Arrow(int from, int to, absl::string_view text) {
    Add(absl::StrCat(Name(from), "->>", Name(to), ": "), text);
  }
  void Note(int at, absl::string_view text) {
    Add(absl::StrCat("Note over ", Name(at), ": "), text);
  }

  // The whole diagram.
  std::string Text() const { return absl::StrCat("sequenceDiagram\n", lines_); }

 private:
  static std::string Name(int machine) {
    return machine == 0 ? "coordinator" : absl::StrCat("worker", machine);
  }
  void Add(absl::string_view start, absl::string_view text);

  const Scheduler& scheduler_;
  const bool is_kept_;
  std::string lines_;
};

}  // namespace entente::sim

#endif  // SIM_TRACE_H_
