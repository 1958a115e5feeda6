// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe_encoding.h"

#include "google/protobuf/descriptor.h"

namespace entente {
namespace {

// Every value of an enum of the recipe but its 0, "not set".
template <typename Enum>
std::vector<Enum> KnownValues() {
  std::vector<Enum> known;
  const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() == 0) continue;
    known.push_back(static_cast<Enum>(type.value(i)->number()));
  }
  return known;
}

}  // namespace

UpdateEncoding EncodingOf(const v1::Updates& updates) {
  switch (updates.encoding()) {
    case v1::Updates::ENCODING_BF16:
      return UpdateEncoding::kBf16;
    case v1::Updates::ENCODING_FP16:
      return UpdateEncoding::kFp16;
    case v1::Updates::ENCODING_INT8:
      return UpdateEncoding::kInt8;
    case v1::Updates::ENCODING_INT4:
      return UpdateEncoding::kInt4;
    case v1::Updates::ENCODING_TOPK:
      return UpdateEncoding::Topk(
          updates.topk().fraction(),
          updates.topk().values() == v1::TopK::VALUES_2BIT ? TopkValues::k2Bit : TopkValues::kInt8);
    default:
      return UpdateEncoding::kFp32;
  }
}

std::vector<v1::Updates::Encoding> KnownEncodings() { return KnownValues<v1::Updates::Encoding>(); }

void NameEncodings(v1::Hello* hello) {
  for (const v1::Updates::Encoding encoding : KnownEncodings()) {
    // Among the others it would be that of workers before 1.1; see the field.
    if (encoding != v1::Updates::ENCODING_TOPK) hello->add_encodings(encoding);
  }
  hello->set_writes_topk(true);
}

std::vector<v1::Updates::Download> KnownDownloads() { return KnownValues<v1::Updates::Download>(); }

std::vector<v1::Updates::Compression> KnownCompressions() {
  return KnownValues<v1::Updates::Compression>();
}

std::vector<v1::Updates::Encoding> FirstEncodings() {
  return {v1::Updates::ENCODING_FP32, v1::Updates::ENCODING_BF16};
}

}  // namespace entente
