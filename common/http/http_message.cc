// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_message.h"

#include "absl/strings/str_cat.h"

namespace entente::http {

absl::string_view ViewerKindName(Viewer::Kind kind) {
  switch (kind) {
    case Viewer::Kind::kPublic:
      return "public";
    case Viewer::Kind::kMember:
      return "member";
    case Viewer::Kind::kOperator:
      return "operator";
  }
  return "public";
}

std::string Request::QueryValue(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

std::string Request::Header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  return found == headers.end() ? "" : found->second;
}

Response TextResponse(int status, absl::string_view sentence) {
  return {.status = status, .body = absl::StrCat(sentence, "\n")};
}

}  // namespace entente::http
