// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/examination.h"

#include <nlohmann/json.hpp>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "cli/text_layout.h"

namespace entente::cli {
namespace {

constexpr size_t kNameColumns = 13;

std::string WholeSentence(const Finding& finding) {
  return absl::StrCat(finding.seen, finding.fix.empty() ? "" : "; ", finding.fix);
}

// For people; what asks for attention stands out without colours.
absl::string_view VerdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kFail:
      break;
  }
  return "FAIL";
}

}  // namespace

bool Examination::Add(absl::string_view name, const absl::Status& status, absl::string_view good) {
  if (status.ok()) {
    Ok(name, good);
    return true;
  }
  const absl::string_view message = status.message();
  const size_t end = message.find("; ");
  Fail(name, message.substr(0, end),
       end == absl::string_view::npos ? absl::string_view() : message.substr(end + 2));
  return false;
}

void Examination::Ok(absl::string_view name, absl::string_view seen) {
  findings_.push_back(
      {.name = std::string(name), .verdict = Verdict::kOk, .seen = std::string(seen), .fix = ""});
}

void Examination::Warn(absl::string_view name, absl::string_view seen, absl::string_view fix) {
  findings_.push_back({.name = std::string(name),
                       .verdict = Verdict::kWarn,
                       .seen = std::string(seen),
                       .fix = std::string(fix)});
}

void Examination::Fail(absl::string_view name, absl::string_view seen, absl::string_view fix) {
  findings_.push_back({.name = std::string(name),
                       .verdict = Verdict::kFail,
                       .seen = std::string(seen),
                       .fix = std::string(fix)});
}

bool Examination::IsHealthy() const {
  return absl::c_none_of(findings_,
                         [](const Finding& finding) { return finding.verdict == Verdict::kFail; });
}

void Examination::Print(Output& output) const {
  nlohmann::ordered_json json;
  json["ok"] = IsHealthy();
  json["checks"] = nlohmann::ordered_json::array();
  std::string text;
  for (const Finding& finding : findings_) {
    nlohmann::ordered_json item;
    item["name"] = finding.name;
    item["ok"] = finding.verdict != Verdict::kFail;
    item["status"] = finding.verdict == Verdict::kFail ? "fail" : VerdictText(finding.verdict);
    item["message"] = WholeSentence(finding);
    item["fix"] = finding.fix;
    json["checks"].push_back(item);
    absl::StrAppend(&text, Pad(VerdictText(finding.verdict), 4), "  ",
                    Pad(finding.name, kNameColumns), "  ", Printable(WholeSentence(finding)), "\n");
  }
  output.Print(json, text);
}

}  // namespace entente::cli
