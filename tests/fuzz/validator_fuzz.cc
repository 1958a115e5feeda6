// SPDX-License-Identifier: Apache-2.0
// Input: an encoding (encoding_choice.h), then a file, or with bit 1 of the third byte what follows
// a right header. What the validator takes the aggregation can read, and every number is in bounds.

#include <cmath>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/codec/value_codec.h"
#include "coordinator/updates/update_validator.h"
#include "tests/fuzz/encoding_choice.h"
#include "tests/fuzz/one_file.h"

namespace entente {
namespace {

constexpr double kBound = 256;

// That of tests/golden/update/, and one tensor of several blocks for the right header.
Layout ModelOf(bool is_large) {
  std::vector<TensorSpec> tensors = {{"batches", Dtype::kI64, {2}},
                                     {"fc.bias", Dtype::kF32, {3}},
                                     {"fc.weight", Dtype::kF32, {2, 2}}};
  if (is_large) tensors.push_back({"large", Dtype::kF32, {300}});
  return *Layout::Create(std::move(tensors));
}

void CheckEveryNumber(const std::string& bytes, const UpdateForm& form, const Layout& plain) {
  for (size_t i = 0; i < plain.tensors().size(); ++i) {
    std::vector<float> values(plain.tensors()[i].ElementCount());
    const auto part = absl::MakeConstSpan(bytes.data(), bytes.size())
                          .subspan(form.OffsetBytes(i, 0), form.layout.tensors()[i].Bytes());
    ENTENTE_CHECK(DecodeValues(form.encoding, 0, part, absl::MakeSpan(values)).ok());
    for (const float value : values) ENTENTE_CHECK(std::fabs(value) <= kBound);
  }
}

}  // namespace
}  // namespace entente

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using entente::fuzz::kChoiceBytes;
  if (size < kChoiceBytes) return 0;
  const entente::UpdateEncoding encoding = entente::fuzz::ChosenEncoding(data);
  const bool has_right_header = (data[2] & 2) != 0;
  const entente::Layout model = entente::ModelOf(has_right_header);
  const std::vector<entente::UpdateForm> forms = entente::AcceptedForms(model, encoding);
  std::string bytes(reinterpret_cast<const char*>(data) + kChoiceBytes, size - kChoiceBytes);
  if (has_right_header) {
    bytes.resize(forms[0].layout.TotalBytes());
    bytes = forms[0].header + bytes;
  }
  entente::fuzz::OneFile files(bytes);
  const auto valid = entente::updates::ValidateUpdate(
      files, "file", {.model = &model, .encoding = encoding, .value_bound = entente::kBound});
  if (!valid.ok()) {
    ENTENTE_CHECK(absl::IsInvalidArgument(valid.status()));
    return 0;
  }
  ENTENTE_CHECK(std::isfinite(valid->norm));
  const auto form = entente::FindForm(**files.OpenForRead("file"), forms);
  ENTENTE_CHECK(form.ok());
  entente::CheckEveryNumber(bytes, forms[*form], model.UpdateLayout(entente::Dtype::kF32));
  return 0;
}
