// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_encoding.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/codec/block_codes.h"
#include "common/codec/topk_codes.h"
#include "common/tensor/safetensors.h"

namespace entente {
namespace {

// Bytes of one block of `elements` numbers.
uint64_t EncodedBlockBytes(const UpdateEncoding& encoding, size_t elements) {
  switch (encoding.kind) {
    case EncodingKind::kFp32:
      return 4 * elements;
    case EncodingKind::kBf16:
    case EncodingKind::kFp16:
      return 2 * elements;
    case EncodingKind::kInt8:
      return Int8BlockBytes(elements);
    case EncodingKind::kInt4:
      return Int4BlockBytes(elements);
    case EncodingKind::kTopk:
      return TopkChunkBytes(elements, TopkEntries(encoding.topk_fraction, elements),
                            encoding.topk_values);
  }
  ENTENTE_CHECK(false);
  return 0;
}

}  // namespace

absl::string_view EncodingName(EncodingKind kind) {
  constexpr absl::string_view kNames[] = {"fp32", "bf16", "fp16", "int8", "int4", "topk"};
  return kNames[static_cast<size_t>(kind)];
}

Dtype EncodedDtype(const UpdateEncoding& encoding) {
  switch (encoding.kind) {
    case EncodingKind::kFp32:
      return Dtype::kF32;
    case EncodingKind::kBf16:
      return Dtype::kBf16;
    case EncodingKind::kFp16:
      return Dtype::kF16;
    default:
      return Dtype::kU8;
  }
}

size_t AlignmentElements(const UpdateEncoding& encoding) {
  switch (encoding.kind) {
    case EncodingKind::kInt8:
    case EncodingKind::kInt4:
      return kCodeBlockElements;
    case EncodingKind::kTopk:
      return kTopkChunkElements;
    default:
      return 1;
  }
}

uint64_t EncodedBytes(const UpdateEncoding& encoding, uint64_t elements) {
  const size_t block = AlignmentElements(encoding);
  const uint64_t rest = elements % block;
  return elements / block * EncodedBlockBytes(encoding, block) +
         (rest == 0 ? 0 : EncodedBlockBytes(encoding, rest));
}

size_t TopkEntries(double fraction, size_t elements) {
  ENTENTE_CHECK(fraction > 0 && fraction <= 0.5 && elements >= 1 && elements <= kTopkChunkElements);
  // At most half of them, rounded up: never more than there are.
  return std::max<size_t>(1,
                          static_cast<size_t>(std::ceil(static_cast<double>(elements) * fraction)));
}

UpdateForm UpdateFormOf(const Layout& model, const UpdateEncoding& encoding) {
  UpdateForm form{.encoding = encoding, .layout = {}, .header = {}};
  form.layout = model.UpdateLayout(EncodedDtype(encoding));
  if (EncodedDtype(encoding) == Dtype::kU8) {
    std::vector<TensorSpec> tensors = form.layout.tensors();
    for (TensorSpec& tensor : tensors) {
      tensor.shape = {EncodedBytes(encoding, tensor.ElementCount())};
    }
    auto layout = Layout::Create(std::move(tensors));
    ENTENTE_CHECK(layout.ok());  // The names are a layout's, and no tensor is much larger than was.
    form.layout = *std::move(layout);
  }
  form.header = SafetensorsHeader(form.layout);
  return form;
}

std::vector<UpdateForm> AcceptedForms(const Layout& model, const UpdateEncoding& encoding) {
  std::vector<UpdateForm> forms = {UpdateFormOf(model, encoding)};
  if (encoding.kind != EncodingKind::kFp32) {
    forms.push_back(UpdateFormOf(model, UpdateEncoding::kFp32));
  }
  return forms;
}

std::string SizesText(const std::vector<UpdateForm>& forms) {
  return absl::StrJoin(forms, " or ", [](std::string* text, const UpdateForm& form) {
    absl::StrAppend(text, form.file_bytes(), " (", EncodingName(form.encoding.kind), ")");
  });
}

absl::StatusOr<size_t> FindForm(const ReadableFile& file, const std::vector<UpdateForm>& forms) {
  std::string header;
  for (size_t i = 0; i < forms.size(); ++i) {
    if (file.size_bytes() != forms[i].file_bytes()) continue;
    header.resize(forms[i].header.size());
    ENTENTE_RETURN_IF_ERROR(file.ReadAt(0, absl::MakeSpan(header.data(), header.size())));
    if (header == forms[i].header) return i;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("it has ", file.size_bytes(), " bytes instead of ", SizesText(forms),
                   ", or another header than an update of this model"));
}

}  // namespace entente
