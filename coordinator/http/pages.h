// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_PAGES_H_
#define COORDINATOR_HTTP_PAGES_H_

// The files that browsers load: pages/, and the charting library, in this program since it was
// built. cmake/Embed.cmake makes EmbeddedFiles.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace entente::dashboard {

struct EmbeddedFile {
  absl::string_view name;  // "dashboard.js"
  absl::string_view content;
};

// Every file, in no order.
std::vector<EmbeddedFile> EmbeddedFiles();

// Changes when any file does: it is part of their addresses, so that a browser may keep them.
std::string PagesVersion();

// Null if there is none of that name.
const EmbeddedFile* FindFile(absl::string_view name);

// By the name's ending.
absl::string_view ContentTypeOf(absl::string_view name);

// The one document: it finds out from its own address what to show.
std::string DocumentText();

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_PAGES_H_
