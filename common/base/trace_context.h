// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_TRACE_CONTEXT_H_
#define COMMON_BASE_TRACE_CONTEXT_H_

// Which request something is done for, across programs: W3C Trace Context
// (https://www.w3.org/TR/trace-context/), level 1, its traceparent alone.
//
//   00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//   version - trace id              - parent id        - flags
//
// The trace id is the request's and stays; the parent id is that of whoever asks, and each hop has
// one of its own.

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/random_source.h"

namespace entente {

class TraceContext {
 public:
  // What a peer or a file says. Of a version after 00 the part that is as in 00 is read.
  // INVALID_ARGUMENT, saying what is wrong: another form, upper-case digits, an id of zeros,
  // version ff, more than limits::kTraceparentBytesMax bytes.
  static absl::StatusOr<TraceContext> Parse(absl::string_view traceparent);

  // The beginning of a trace.
  static TraceContext Fresh(RandomSource& random);

  // The beginning of a trace that is the same whoever makes it: of something that came without one.
  static TraceContext Named(absl::string_view name);

  // The same trace, with `name`'s part of this one's work as the parent. Equal names give equal
  // children: a restart goes on with the same.
  TraceContext Child(absl::string_view name) const;

  // Version 00.
  std::string ToTraceparent() const;

  const std::string& trace_id() const { return trace_id_; }    // 32 digits of 0-9a-f.
  const std::string& parent_id() const { return parent_id_; }  // 16 of them.
  bool sampled() const { return sampled_; }

 private:
  TraceContext(std::string trace_id, std::string parent_id, bool sampled)
      : trace_id_(std::move(trace_id)), parent_id_(std::move(parent_id)), sampled_(sampled) {}

  std::string trace_id_;
  std::string parent_id_;
  bool sampled_;  // Whoever asked records the trace; handed on as it came.
};

// The trace of a text that may be empty or hostile: `traceparent`'s, or else `name`'s.
TraceContext TraceOf(absl::string_view traceparent, absl::string_view name);

}  // namespace entente

#endif  // COMMON_BASE_TRACE_CONTEXT_H_
