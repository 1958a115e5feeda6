// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_OUTPUT_H_
#define CLI_OUTPUT_H_

// Everything `entente` says. Results go to standard output, in the format that -o asks for; notes,
// progress and errors go to standard error, so that a pipe gets results alone. With -o json or yaml
// nothing but the result is printed on standard output, and an error is one JSON object on standard
// error: {"error":{"code":"NOT_FOUND","message":"...","exitCode":3}}.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/exit_code.h"
#include "google/protobuf/message.h"

namespace entente::cli {

enum class OutputFormat { kTable, kJson, kYaml };

// INVALID_ARGUMENT with the nearest word for anything but "table", "json" and "yaml".
absl::StatusOr<OutputFormat> ParseOutputFormat(absl::string_view word);

// The message as JSON, with `list` present even when it is empty, as scripts expect.
nlohmann::ordered_json JsonWithList(const google::protobuf::Message& message,
                                    const std::string& list);

// Block style YAML of any JSON.
std::string JsonToYaml(const nlohmann::ordered_json& json);

// Not thread-safe.
class Output {
 public:
  // Borrowed.
  Output(std::ostream* out, std::ostream* error) : out_(*out), error_(*error) {}

  // Of this process: standard output and standard error.
  static Output ForProcess();

  void set_format(OutputFormat format) { format_ = format; }
  OutputFormat format() const { return format_; }
  bool is_for_people() const { return format_ == OutputFormat::kTable; }

  // A terminal gets a line of progress that is rewritten; anything else gets none.
  void set_error_is_terminal(bool is_terminal) { error_is_terminal_ = is_terminal; }

  // The command's result: `text` for people, `json` otherwise.
  void Print(const nlohmann::ordered_json& json, absl::string_view text);
  void Print(const google::protobuf::Message& message, absl::string_view text);

  // One result of a stream: `text` and a newline for people, else one line of JSON (a document
  // with "---" in YAML).
  void PrintNext(const google::protobuf::Message& message, absl::string_view text);

  // Text as it is, whatever the format.
  void PrintText(absl::string_view text);

  // A line for people on standard error; nothing for programs.
  void Note(absl::string_view line);

  // "entente: <message>", or the JSON object above.
  void Error(const absl::Status& status, ExitCode code);

  // "<label>: 43 %, 12.0 MiB of 28.1 MiB"; the line is gone after FinishProgress.
  void Progress(absl::string_view label, uint64_t done_bytes, uint64_t total_bytes);
  void FinishProgress();

 private:
  std::ostream& out_;
  std::ostream& error_;
  OutputFormat format_ = OutputFormat::kTable;
  bool error_is_terminal_ = false;
  int progress_percent_ = -1;  // As last shown; -1 when no progress line stands.
};

}  // namespace entente::cli

#endif  // CLI_OUTPUT_H_
