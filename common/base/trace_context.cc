// SPDX-License-Identifier: Apache-2.0
#include "common/base/trace_context.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace entente {
namespace {

constexpr size_t kVersionDigits = 2;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kParentIdDigits = 16;
constexpr size_t kFlagsDigits = 2;
constexpr size_t kBytes = kVersionDigits + kTraceIdDigits + kParentIdDigits + kFlagsDigits + 3;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f'); });
}

bool IsZeros(absl::string_view text) {
  return text.find_first_not_of('0') == absl::string_view::npos;
}

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the traceparent ", what));
}

std::string Digits(uint64_t bits) { return absl::StrCat(absl::Hex(bits, absl::kZeroPad16)); }

// An id of zeros would mean that there is none.
uint64_t NotZero(uint64_t bits) { return bits == 0 ? 1 : bits; }

}  // namespace

absl::StatusOr<TraceContext> TraceContext::Parse(absl::string_view traceparent) {
  if (traceparent.size() > limits::kTraceparentBytesMax) {
    return Malformed(absl::StrCat("has more than ", limits::kTraceparentBytesMax, " bytes"));
  }
  if (traceparent.size() < kBytes) return Malformed("is too short");
  const absl::string_view version = traceparent.substr(0, kVersionDigits);
  const absl::string_view trace_id = traceparent.substr(3, kTraceIdDigits);
  const absl::string_view parent_id = traceparent.substr(36, kParentIdDigits);
  const absl::string_view flags = traceparent.substr(53, kFlagsDigits);
  for (const size_t dash : {size_t{2}, size_t{35}, size_t{52}}) {
    if (traceparent[dash] != '-') return Malformed("is not version-trace-parent-flags");
  }
  for (const absl::string_view part : {version, trace_id, parent_id, flags}) {
    if (!IsLowerHex(part)) return Malformed("has other characters than 0-9a-f in its numbers");
  }
  if (version == "ff") return Malformed("has the version ff, which there is not");
  if (traceparent.size() > kBytes && (version == "00" || traceparent[kBytes] != '-')) {
    return Malformed("is too long");
  }
  if (IsZeros(trace_id)) return Malformed("has a trace id of zeros");
  if (IsZeros(parent_id)) return Malformed("has a parent id of zeros");
  // Bit 0 of the second digit; the other flags have no meaning yet and are not handed on.
  const bool sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
  return TraceContext(std::string(trace_id), std::string(parent_id), sampled);
}

TraceContext TraceContext::Fresh(RandomSource& random) {
  std::string trace_id = Digits(random.Next());
  trace_id += Digits(NotZero(random.Next()));
  return TraceContext(std::move(trace_id), Digits(NotZero(random.Next())), /*sampled=*/false);
}

TraceContext TraceContext::Named(absl::string_view name) {
  const auto bits = [&](uint64_t part) { return DeriveSeed(part, absl::StrCat("trace ", name)); };
  return TraceContext(Digits(bits(1)) + Digits(NotZero(bits(2))), Digits(NotZero(bits(3))),
                      /*sampled=*/false);
}

TraceContext TraceContext::Child(absl::string_view name) const {
  const std::string purpose = absl::StrCat(trace_id_, " ", parent_id_, " ", name);
  return TraceContext(trace_id_, Digits(NotZero(DeriveSeed(0, purpose))), sampled_);
}

std::string TraceContext::ToTraceparent() const {
  return absl::StrCat("00-", trace_id_, "-", parent_id_, sampled_ ? "-01" : "-00");
}

TraceContext TraceOf(absl::string_view traceparent, absl::string_view name) {
  absl::StatusOr<TraceContext> trace = TraceContext::Parse(traceparent);
  return trace.ok() ? *std::move(trace) : TraceContext::Named(name);
}

}  // namespace entente
