// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_TEMP_FOLDER_H_
#define TESTS_SUPPORT_TEMP_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// A new folder under the system's temporary one, removed with everything in it on destruction.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;

  // Writes `text` to File(name), making folders on the way, and returns the path.
  std::string Write(absl::string_view name, absl::string_view text) const;

 private:
  std::string path_;
};

}  // namespace entente

#endif  // TESTS_SUPPORT_TEMP_FOLDER_H_
