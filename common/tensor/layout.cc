// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"

namespace entente {
namespace {

constexpr uint64_t kTotalBytesMax = uint64_t{1} << 62;

bool IsPrintableUtf8(absl::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const size_t size = Utf8CharacterBytes(text);
    if (size == 0 || first < 0x20 || first == 0x7f) return false;
    text.remove_prefix(size);
  }
  return true;
}

absl::Status CheckName(const std::string& name) {
  if (name.empty() || name.size() > limits::kTensorNameBytesMax || !IsPrintableUtf8(name)) {
    return absl::InvalidArgumentError(absl::StrCat(TensorText(name), " has no usable name: 1 to ",
                                                   limits::kTensorNameBytesMax,
                                                   " bytes of printable UTF-8 are"));
  }
  // Readers would take the tensor for the header's metadata and skip it.
  if (name == "__metadata__") {
    return absl::InvalidArgumentError(
        absl::StrCat(TensorText(name), " has a name that safetensors reserves; give it another"));
  }
  return absl::OkStatus();
}

// The number of bytes, or an error before any multiplication overflows.
absl::StatusOr<uint64_t> CheckedBytes(const TensorSpec& tensor) {
  if (tensor.shape.size() > static_cast<size_t>(limits::kTensorRankMax)) {
    return absl::InvalidArgumentError(absl::StrCat(TensorText(tensor.name), " has ",
                                                   tensor.shape.size(), " dimensions; at most ",
                                                   limits::kTensorRankMax, " are read"));
  }
  uint64_t bytes = DtypeBytes(tensor.dtype);
  for (const uint64_t dimension : tensor.shape) {
    if (dimension == 0) return 0;
    if (bytes > kTotalBytesMax / dimension) {
      return absl::InvalidArgumentError(absl::StrCat(TensorText(tensor.name), " of shape ",
                                                     ShapeText(tensor.shape), " is too large"));
    }
    bytes *= dimension;
  }
  return bytes;
}

}  // namespace

uint64_t TensorSpec::ElementCount() const {
  uint64_t count = 1;
  for (const uint64_t dimension : shape) count *= dimension;
  return count;
}

absl::StatusOr<Layout> Layout::Create(std::vector<TensorSpec> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorSpec& a, const TensorSpec& b) { return a.name < b.name; });
  Layout layout;
  for (const TensorSpec& tensor : tensors) {
    ENTENTE_RETURN_IF_ERROR(CheckName(tensor.name));
    ENTENTE_ASSIGN_OR_RETURN(const uint64_t bytes, CheckedBytes(tensor));
    if (bytes > kTotalBytesMax - layout.total_bytes_) {
      return absl::InvalidArgumentError("the tensors are too large together");
    }
    layout.offsets_.push_back(layout.total_bytes_);
    layout.total_bytes_ += bytes;
  }
  const auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const TensorSpec& a, const TensorSpec& b) { return a.name == b.name; });
  if (twice != tensors.end()) {
    return absl::InvalidArgumentError(absl::StrCat(TensorText(twice->name), " is there twice"));
  }
  layout.tensors_ = std::move(tensors);
  return layout;
}

uint64_t Layout::FloatElementCount() const {
  uint64_t count = 0;
  for (const TensorSpec& tensor : tensors_) {
    if (IsFloatingPoint(tensor.dtype)) count += tensor.ElementCount();
  }
  return count;
}

Layout Layout::UpdateLayout(Dtype dtype) const {
  Layout update;
  for (const TensorSpec& tensor : tensors_) {
    if (!IsFloatingPoint(tensor.dtype)) continue;
    update.tensors_.push_back({tensor.name, dtype, tensor.shape});
    update.offsets_.push_back(update.total_bytes_);
    update.total_bytes_ += update.tensors_.back().Bytes();
  }
  return update;
}

absl::Status CheckSameLayout(const Layout& expected, const Layout& actual) {
  auto want = expected.tensors().begin();
  auto have = actual.tensors().begin();
  while (want != expected.tensors().end() || have != actual.tensors().end()) {
    const bool want_ended = want == expected.tensors().end();
    const bool have_ended = have == actual.tensors().end();
    if (have_ended || (!want_ended && want->name < have->name)) {
      return absl::InvalidArgumentError(absl::StrCat(TensorText(want->name), " is missing"));
    }
    if (want_ended || have->name < want->name) {
      return absl::InvalidArgumentError(
          absl::StrCat(TensorText(have->name), " does not belong to the model"));
    }
    if (want->shape != have->shape) {
      return absl::InvalidArgumentError(absl::StrCat(TensorText(have->name), " has shape ",
                                                     ShapeText(have->shape), ", expected ",
                                                     ShapeText(want->shape)));
    }
    if (want->dtype != have->dtype) {
      return absl::InvalidArgumentError(absl::StrCat(TensorText(have->name), " is ",
                                                     DtypeName(have->dtype), ", expected ",
                                                     DtypeName(want->dtype)));
    }
    ++want;
    ++have;
  }
  return absl::OkStatus();
}

std::string TensorText(absl::string_view name) {
  constexpr size_t kShownBytesMax = 80;
  return absl::StrCat("tensor \"",
                      absl::Utf8SafeCHexEscape(ToValidUtf8(ClipUtf8(name, kShownBytesMax))), "\"");
}

std::string ShapeText(const std::vector<uint64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ","), "]");
}

}  // namespace entente
