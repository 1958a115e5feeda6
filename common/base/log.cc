// SPDX-License-Identifier: Apache-2.0
#include "common/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"

namespace entente::log {
namespace {

std::atomic<Format> current_format{Format::kText};  // Set once by main; the one global of the logs.
thread_local const Scope* innermost_scope = nullptr;

const std::shared_ptr<spdlog::logger>& Logger() {
  static const std::shared_ptr<spdlog::logger>* const logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "entente", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %v", spdlog::pattern_time_type::utc);
    made->flush_on(spdlog::level::info);
    return new std::shared_ptr<spdlog::logger>(std::move(made));  // Outlives every static.
  }();
  return *logger;
}

// The line's own, then those of the scopes around it, from the inside out, each name once.
std::vector<const Field*> AllFields(std::initializer_list<Field> own) {
  std::vector<const Field*> all;
  const auto add = [&all](const auto& fields) {
    for (const Field& field : fields) {
      const auto same = [&](const Field* known) { return known->name == field.name; };
      if (absl::c_none_of(all, same)) all.push_back(&field);
    }
  };
  add(own);
  for (const Scope* scope = innermost_scope; scope != nullptr; scope = scope->outer()) {
    add(scope->fields());
  }
  return all;
}

// Needs no quotes in a line of text.
bool IsPlain(char c) { return c > ' ' && c != '"' && c != '\x7f'; }

// JSON's own quoting keeps a hostile value from forging a line of its own.
std::string Quoted(const std::string& value) {
  using Json = nlohmann::ordered_json;
  return Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string AsText(absl::string_view message, const std::vector<const Field*>& fields) {
  std::string line(message);
  for (const Field* const field : fields) {
    const bool quote = field->value.empty() || !absl::c_all_of(field->value, IsPlain);
    absl::StrAppend(&line, "  ", field->name, "=");
    absl::StrAppend(&line, quote ? Quoted(field->value) : field->value);
  }
  return line;
}

std::string AsJson(spdlog::level::level_enum level, absl::string_view message,
                   const std::vector<const Field*>& fields) {
  nlohmann::ordered_json line;
  const auto level_name = spdlog::level::to_string_view(level);
  line["level"] = std::string(level_name.data(), level_name.size());
  line["message"] = std::string(message);
  for (const Field* const field : fields) {
    const auto number = field->is_number
                            ? nlohmann::ordered_json::parse(field->value, nullptr, false)
                            : nlohmann::ordered_json(field->value);
    line[field->name] = number.is_discarded() ? nlohmann::ordered_json(field->value) : number;
  }
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Write(spdlog::level::level_enum level, absl::string_view message,
           std::initializer_list<Field> fields) {
  if (!Logger()->should_log(level)) return;
  if (current_format.load() == Format::kJson) {
    // The time is the pattern's, so that both formats take it from the same place.
    Logger()->log(level, "{}", AsJson(level, message, AllFields(fields)).substr(1));
  } else {
    Logger()->log(level, "{}", AsText(message, AllFields(fields)));
  }
}

}  // namespace

Scope::Scope(std::vector<Field> fields)
    : fields_(std::move(fields)), outer_(std::exchange(innermost_scope, this)) {}

Scope::~Scope() { innermost_scope = outer_; }

void Configure(Format format, Level level) {
  current_format.store(format);
  if (format == Format::kJson) {
    Logger()->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",%v", spdlog::pattern_time_type::utc);
  }
  switch (level) {
    case Level::kDebug:
      Logger()->set_level(spdlog::level::debug);
      break;
    case Level::kInfo:
      Logger()->set_level(spdlog::level::info);
      break;
    case Level::kWarning:
      Logger()->set_level(spdlog::level::warn);
      break;
    case Level::kError:
      Logger()->set_level(spdlog::level::err);
      break;
    case Level::kNone:
      Logger()->set_level(spdlog::level::off);
      break;
  }
}

absl::StatusOr<Format> ParseFormat(absl::string_view text) {
  if (text == "text") return Format::kText;
  if (text == "json") return Format::kJson;
  return absl::InvalidArgumentError(
      absl::StrCat("log format \"", text, "\" is unknown; use text or json"));
}

absl::StatusOr<Level> ParseLevel(absl::string_view text) {
  if (text == "debug") return Level::kDebug;
  if (text == "info") return Level::kInfo;
  if (text == "warning") return Level::kWarning;
  if (text == "error") return Level::kError;
  return absl::InvalidArgumentError(
      absl::StrCat("log level \"", text, "\" is unknown; use debug, info, warning or error"));
}

void Debug(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::debug, message, fields);
}
void Info(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::info, message, fields);
}
void Warning(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::warn, message, fields);
}
void Error(absl::string_view message, std::initializer_list<Field> fields) {
  Write(spdlog::level::err, message, fields);
}

}  // namespace entente::log
