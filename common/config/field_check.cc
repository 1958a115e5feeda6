// SPDX-License-Identifier: Apache-2.0
#include "common/config/field_check.h"

#include "absl/strings/str_cat.h"
#include "common/config/duration_text.h"
#include "common/config/quoted.h"
#include "common/config/yaml_document.h"

namespace entente {

void FieldCheck::Expect(absl::string_view path, bool ok, absl::string_view shown,
                        absl::string_view must) {
  if (!ok) Fail(path, absl::StrCat("is ", shown, "; it ", must));
}

void FieldCheck::Range(absl::string_view path, absl::int128 value, absl::int128 min,
                       absl::int128 max) {
  if (!ok() || (value >= min && value <= max)) return;
  range_ = absl::StrCat("it must be ", WithCommas(min), " to ", WithCommas(max));
  Fail(path, absl::StrCat("is ", WithCommas(value), "; ", range_));
}

void FieldCheck::Number(absl::string_view path, double value, bool ok, absl::string_view range) {
  if (!ok) Fail(path, absl::StrCat("is ", value, "; it must be ", range));
}

void FieldCheck::Time(absl::string_view path, absl::Duration value, absl::Duration min,
                      absl::Duration max) {
  if (value >= min && value <= max) return;
  Fail(path, absl::StrCat("is ", DurationText(value), "; it must be ", DurationText(min), " to ",
                          DurationText(max)));
}

void FieldCheck::Present(absl::string_view path, bool present, absl::string_view what) {
  if (!present) Fail(path, absl::StrCat("is missing; ", what));
}

void FieldCheck::Fail(absl::string_view path, absl::string_view rest) {
  if (!ok()) return;
  path_ = std::string(path);
  sentence_ = absl::StrCat(path, " ", rest);
}

absl::Status FieldCheck::ToStatus() const {
  return ok() ? absl::OkStatus() : absl::InvalidArgumentError(*sentence_);
}

absl::Status FieldCheck::ToStatus(absl::string_view file_name, const YamlPlaces& places) const {
  const auto& misfit = places.misfit();
  if (misfit.has_value() && ok()) return misfit->status;
  if (ok()) return absl::OkStatus();
  const bool is_misfit = misfit.has_value() && misfit->path == path_ && !range_.empty();
  return MistakeAt(
      file_name, places.Find(path_),
      is_misfit ? absl::StrCat(path_, " is ", misfit->shown, "; ", range_) : *sentence_);
}

}  // namespace entente
