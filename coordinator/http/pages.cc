// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/pages.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/check.h"
#include "common/crypto/sha256.h"

namespace entente::dashboard {
namespace {

const std::vector<EmbeddedFile>& Files() {
  static const auto* const files = new std::vector<EmbeddedFile>(EmbeddedFiles());
  return *files;
}

}  // namespace

std::string PagesVersion() {
  static const auto* const version = new std::string([] {
    Sha256 hash;
    for (const EmbeddedFile& file : Files()) hash.Update(file.content);
    return hash.Current().ToHex().substr(0, 12);
  }());
  return *version;
}

const EmbeddedFile* FindFile(absl::string_view name) {
  const auto it = std::find_if(Files().begin(), Files().end(),
                               [name](const EmbeddedFile& file) { return file.name == name; });
  return it == Files().end() ? nullptr : &*it;
}

absl::string_view ContentTypeOf(absl::string_view name) {
  if (absl::EndsWith(name, ".html")) return "text/html; charset=utf-8";
  if (absl::EndsWith(name, ".css")) return "text/css; charset=utf-8";
  if (absl::EndsWith(name, ".js")) return "text/javascript; charset=utf-8";
  if (absl::EndsWith(name, ".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

std::string DocumentText() {
  const EmbeddedFile* const document = FindFile("index.html");
  ENTENTE_CHECK(document != nullptr);
  return absl::StrReplaceAll(document->content,
                             {{"/assets/", absl::StrCat("/assets/", PagesVersion(), "/")}});
}

}  // namespace entente::dashboard
