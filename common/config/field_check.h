// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_FIELD_CHECK_H_
#define COMMON_CONFIG_FIELD_CHECK_H_

// Checks a message's fields one after the other and keeps the first mistake, as one sentence with
// the field's path and, if the message was read from a file, with its place there.
//
//   FieldCheck check;
//   check.Range("training.batchSize", training.batch_size(), 1, 65'536);
//   check.Expect("listen", IsHostPort(config.listen()), Quoted(config.listen()),
//                "must be host:port");
//   return check.ToStatus();  // training.batchSize is 0; it must be 1 to 65,536

#include <optional>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/config/yaml_to_proto.h"

namespace entente {

// Not thread-safe. Once there is a mistake, further ones are passed over.
class FieldCheck {
 public:
  // The field's value, as `shown`, must fulfil `ok`; if not: "<path> is <shown>; it <must>".
  void Expect(absl::string_view path, bool ok, absl::string_view shown, absl::string_view must);

  // A whole number from `min` to `max`.
  void Range(absl::string_view path, absl::int128 value, absl::int128 min, absl::int128 max);

  // A number for which `ok` was found by a comparison that is false for NaN: "it must be <range>".
  void Number(absl::string_view path, double value, bool ok, absl::string_view range);

  // A duration from `min` to `max`.
  void Time(absl::string_view path, absl::Duration value, absl::Duration min, absl::Duration max);

  // A text or section that must be there: "<path> is missing; <what it is for>".
  void Present(absl::string_view path, bool present, absl::string_view what);

  // Any other mistake: "<path> <rest>".
  void Fail(absl::string_view path, absl::string_view rest);

  bool ok() const { return !sentence_.has_value(); }

  // OK, or INVALID_ARGUMENT with the first mistake.
  absl::Status ToStatus() const;

  // The same with file:line:column in front. A number that its field could not hold (YamlPlaces'
  // misfit) is shown as it was written, and is a mistake though none of the checks found one.
  absl::Status ToStatus(absl::string_view file_name, const YamlPlaces& places) const;

 private:
  std::optional<std::string> sentence_;
  std::string path_;
  std::string range_;  // Of the mistake, if Range found it: "it must be 1 to 100,000".
};

}  // namespace entente

#endif  // COMMON_CONFIG_FIELD_CHECK_H_
