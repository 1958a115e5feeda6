// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_LOG_H_
#define COMMON_BASE_LOG_H_

// Structured logs on standard error: a sentence, then named fields. Text on a terminal, one JSON
// object a line with --log-format json.
//
//   log::Info("update accepted", {{"job", job.value()}, {"worker", worker.value()}, {"bytes", n}});

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entente::log {

// kNone: not a word, for a program whose output is its own.
enum class Level { kDebug, kInfo, kWarning, kError, kNone };
enum class Format { kText, kJson };

// A named value of a log line.
struct Field {
  Field(absl::string_view name_in, std::string value_in)
      : name(name_in), value(std::move(value_in)), is_number(false) {}
  Field(absl::string_view name_in, absl::string_view value_in)
      : Field(name_in, std::string(value_in)) {}
  Field(absl::string_view name_in, const char* value_in) : Field(name_in, std::string(value_in)) {}
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  Field(absl::string_view name_in, Number value_in)
      : name(name_in), value(absl::StrCat(value_in)), is_number(true) {}

  std::string name;
  std::string value;
  bool is_number;
};

// Fields that every line which this thread logs carries, after its own, for as long as this lives:
// whose work it is. What a line or an inner scope has under the same name stands alone.
//
//   const log::Scope scope({{"job", job.value()}, {"trace", trace.trace_id()}});
//
// Lives on the stack of the thread that made it.
class Scope {
 public:
  explicit Scope(std::vector<Field> fields);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  const std::vector<Field>& fields() const { return fields_; }
  const Scope* outer() const { return outer_; }  // Null: the outermost.

 private:
  const std::vector<Field> fields_;
  const Scope* const outer_;
};

// Call once, first thing in main. Before it, text at kInfo is logged.
void Configure(Format format, Level level);

// "text" or "json"; INVALID_ARGUMENT otherwise.
absl::StatusOr<Format> ParseFormat(absl::string_view text);

// "debug", "info", "warning" or "error"; INVALID_ARGUMENT otherwise.
absl::StatusOr<Level> ParseLevel(absl::string_view text);

// Thread-safe.
void Debug(absl::string_view message, std::initializer_list<Field> fields = {});
void Info(absl::string_view message, std::initializer_list<Field> fields = {});
void Warning(absl::string_view message, std::initializer_list<Field> fields = {});
void Error(absl::string_view message, std::initializer_list<Field> fields = {});

}  // namespace entente::log

#endif  // COMMON_BASE_LOG_H_
