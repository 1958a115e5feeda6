// SPDX-License-Identifier: Apache-2.0
#include "coordinator/models/rounded_model.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/tensor_values.h"
#include "common/codec/value_codec.h"
#include "common/tensor/safetensors.h"

namespace entente::models {
namespace {

constexpr uint64_t kCopyBytes = uint64_t{1} << 20;

absl::Status RoundTensor(const SafetensorsReader& model, size_t index, SafetensorsWriter& copy) {
  const TensorSpec& tensor = model.layout().tensors()[index];
  std::string bytes;
  if (!IsFloatingPoint(tensor.dtype)) {
    for (uint64_t offset = 0; offset < tensor.Bytes(); offset += bytes.size()) {
      bytes.resize(std::min(kCopyBytes, tensor.Bytes() - offset));
      ENTENTE_RETURN_IF_ERROR(
          model.ReadAt(index, offset, absl::MakeSpan(bytes.data(), bytes.size())));
      ENTENTE_RETURN_IF_ERROR(copy.WriteAt(index, offset, bytes));
    }
    return absl::OkStatus();
  }
  return VisitValues(model, PlainTensor(model, index),
                     [&](uint64_t first, absl::Span<const float> values) -> absl::Status {
                       ENTENTE_RETURN_IF_ERROR(RoundValues(tensor.name, first, values, &bytes));
                       return copy.WriteAt(index, EncodedBytes(UpdateEncoding::kBf16, first),
                                           bytes);
                     });
}

}  // namespace

Layout RoundedLayout(const Layout& model) {
  std::vector<TensorSpec> tensors = model.tensors();
  for (TensorSpec& tensor : tensors) {
    if (IsFloatingPoint(tensor.dtype)) tensor.dtype = Dtype::kBf16;
  }
  auto layout = Layout::Create(std::move(tensors));
  ENTENTE_CHECK(layout.ok());  // The names are a layout's, and no tensor is larger than it was.
  return *std::move(layout);
}

absl::Status RoundValues(absl::string_view tensor, uint64_t first, absl::Span<const float> values,
                         std::string* bytes) {
  const absl::Status fits = CheckValues(tensor, first, values, EncodableMax(UpdateEncoding::kBf16));
  if (!fits.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model cannot be downloaded in bf16: ", fits.message(),
                     "; use updates.download: fp32, or a smaller learning rate"));
  }
  EncodeValues(UpdateEncoding::kBf16, /*tensor_seed=*/0, first, values, bytes);
  return absl::OkStatus();
}

absl::StatusOr<Digest> RoundModel(ModelStore& store, FileSystem& files, const Digest& model,
                                  absl::string_view label) {
  if (const Digest known = store.RoundedOf(model); !known.IsNone()) return known;
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader, store.OpenModel(model));
  const std::string path = store.TemporaryPath(absl::StrCat(label, "-rounded"));
  const absl::Cleanup remove_what_is_left = [&] { files.Remove(path).IgnoreError(); };
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> copy,
                           SafetensorsWriter::Create(files, path, RoundedLayout(reader->layout())));
  for (size_t i = 0; i < reader->layout().tensors().size(); ++i) {
    ENTENTE_RETURN_IF_ERROR(RoundTensor(*reader, i, *copy));
  }
  ENTENTE_CHECK(copy->is_whole());
  ENTENTE_ASSIGN_OR_RETURN(const Digest rounded, store.Adopt(path));
  ENTENTE_RETURN_IF_ERROR(store.SetRounded(model, rounded, absl::StrCat(label, "-which")));
  return rounded;
}

}  // namespace entente::models
