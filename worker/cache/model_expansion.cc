// SPDX-License-Identifier: Apache-2.0
#include "worker/cache/model_expansion.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/tensor_values.h"

namespace entente::worker {
namespace {

constexpr uint64_t kPieceBytes = uint64_t{1} << 20;

absl::Status CopyTensor(const SafetensorsReader& model, size_t index, SafetensorsWriter& target) {
  const uint64_t tensor_bytes = model.layout().tensors()[index].Bytes();
  std::string bytes(std::min(kPieceBytes, tensor_bytes), '\0');
  for (uint64_t offset = 0; offset < tensor_bytes; offset += bytes.size()) {
    bytes.resize(std::min<uint64_t>(bytes.size(), tensor_bytes - offset));
    ENTENTE_RETURN_IF_ERROR(
        model.ReadAt(index, offset, absl::MakeSpan(bytes.data(), bytes.size())));
    ENTENTE_RETURN_IF_ERROR(target.WriteAt(index, offset, bytes));
  }
  return absl::OkStatus();
}

absl::Status ExpandTensor(const SafetensorsReader& model, size_t index, SafetensorsWriter& target) {
  const EncodedTensor tensor{.index = index,
                             .elements = model.layout().tensors()[index].ElementCount(),
                             .encoding = UpdateEncoding::kBf16};
  return VisitValues(model, tensor, [&](uint64_t first, absl::Span<const float> values) {
    return target.WriteAt(index, first * sizeof(float),
                          absl::string_view(reinterpret_cast<const char*>(values.data()),
                                            values.size() * sizeof(float)));
  });
}

}  // namespace

absl::StatusOr<Layout> ExpandedLayout(const Layout& model) {
  std::vector<TensorSpec> tensors = model.tensors();
  for (TensorSpec& tensor : tensors) {
    if (tensor.dtype == Dtype::kBf16) tensor.dtype = Dtype::kF32;
  }
  return Layout::Create(std::move(tensors));
}

absl::Status ExpandModel(FileSystem& files, const SafetensorsReader& model, const Layout& expanded,
                         const std::string& target) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsWriter> writer,
                           SafetensorsWriter::Create(files, target, expanded));
  for (size_t i = 0; i < expanded.tensors().size(); ++i) {
    const bool is_rounded = model.layout().tensors()[i].dtype == Dtype::kBf16;
    ENTENTE_RETURN_IF_ERROR(is_rounded ? ExpandTensor(model, i, *writer)
                                       : CopyTensor(model, i, *writer));
  }
  ENTENTE_CHECK(writer->is_whole());
  return absl::OkStatus();
}

}  // namespace entente::worker
