// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <iostream>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/text_layout.h"
#include "common/base/closest_word.h"
#include "common/config/proto_to_json.h"
#include "common/config/quoted.h"

namespace entente::cli {
namespace {

using Json = nlohmann::ordered_json;

// Whether YAML reads the bare text as this very string.
bool IsPlainYaml(const std::string& text) {
  if (text.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(text[0]))) return false;
  for (const char c : text) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '/' &&
        c != '.') {
      return false;
    }
  }
  const std::string lower = absl::AsciiStrToLower(text);
  for (const absl::string_view word :
       {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}) {
    if (lower == word) return false;
  }
  return true;
}

std::string ScalarYaml(const Json& value) {
  if (value.is_string() && IsPlainYaml(value.get_ref<const std::string&>())) {
    return value.get<std::string>();
  }
  // JSON's scalars and empty containers are YAML as they stand.
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void AppendYaml(const Json& value, const std::string& indent, std::string* text) {
  const bool is_object = value.is_object();
  for (const auto& [key, item] : value.items()) {
    absl::StrAppend(text, indent, is_object ? absl::StrCat(ScalarYaml(Json(key)), ":") : "-");
    if (item.is_structured() && !item.empty()) {
      absl::StrAppend(text, "\n");
      AppendYaml(item, indent + "  ", text);
    } else {
      absl::StrAppend(text, " ", ScalarYaml(item), "\n");
    }
  }
}

}  // namespace

absl::StatusOr<OutputFormat> ParseOutputFormat(absl::string_view word) {
  if (word == "table") return OutputFormat::kTable;
  if (word == "json") return OutputFormat::kJson;
  if (word == "yaml") return OutputFormat::kYaml;
  const std::optional<std::string> closest = ClosestWord(word, {"table", "json", "yaml"});
  return absl::InvalidArgumentError(
      absl::StrCat("-o ", Quoted(word), " is no output format; ",
                   closest ? absl::StrCat("did you mean \"", *closest, "\"?")
                           : std::string("it must be table, json or yaml")));
}

Json JsonWithList(const google::protobuf::Message& message, const std::string& list) {
  Json json = ProtoToJson(message);
  if (!json.contains(list)) json[list] = Json::array();
  return json;
}

std::string JsonToYaml(const Json& json) {
  if (!json.is_structured() || json.empty()) return ScalarYaml(json) + "\n";
  std::string text;
  AppendYaml(json, "", &text);
  return text;
}

Output Output::ForProcess() { return Output(&std::cout, &std::cerr); }

void Output::Print(const Json& json, absl::string_view text) {
  switch (format_) {
    case OutputFormat::kTable:
      return PrintText(text);
    case OutputFormat::kJson:
      return PrintText(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    case OutputFormat::kYaml:
      return PrintText(JsonToYaml(json));
  }
}

void Output::Print(const google::protobuf::Message& message, absl::string_view text) {
  if (is_for_people()) return PrintText(text);
  Print(ProtoToJson(message), text);
}

void Output::PrintNext(const google::protobuf::Message& message, absl::string_view text) {
  switch (format_) {
    case OutputFormat::kTable:
      return PrintText(absl::StrCat(text, "\n"));
    case OutputFormat::kJson:
      return PrintText(ProtoToJson(message).dump(-1, ' ', false, Json::error_handler_t::replace) +
                       "\n");
    case OutputFormat::kYaml:
      return PrintText("---\n" + JsonToYaml(ProtoToJson(message)));
  }
}

void Output::PrintText(absl::string_view text) {
  FinishProgress();
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  out_.flush();
}

void Output::Note(absl::string_view line) {
  if (!is_for_people()) return;
  FinishProgress();
  error_ << line << std::endl;
}

void Output::Error(const absl::Status& status, ExitCode code) {
  FinishProgress();
  if (is_for_people()) {
    error_ << "entente: " << Printable(status.message()) << std::endl;
    return;
  }
  Json error;
  error["code"] = absl::StatusCodeToString(status.code());
  error["message"] = std::string(status.message());
  error["exitCode"] = static_cast<int>(code);
  const Json object = {{"error", error}};
  error_ << object.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}

void Output::Progress(absl::string_view label, uint64_t done_bytes, uint64_t total_bytes) {
  if (!is_for_people() || !error_is_terminal_ || total_bytes == 0) return;
  const int percent =
      static_cast<int>(static_cast<double>(done_bytes) / static_cast<double>(total_bytes) * 100);
  if (percent == progress_percent_) return;
  progress_percent_ = percent;
  error_ << "\r" << label << ": " << percent << " %, " << BytesText(done_bytes) << " of "
         << BytesText(total_bytes) << "\x1b[K" << std::flush;
}

void Output::FinishProgress() {
  if (progress_percent_ < 0) return;
  progress_percent_ = -1;
  error_ << "\r\x1b[K" << std::flush;
}

}  // namespace entente::cli
