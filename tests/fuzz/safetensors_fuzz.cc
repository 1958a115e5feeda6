// SPDX-License-Identifier: Apache-2.0
// Input: a safetensors file. Whatever it holds, opening it says OK or what is wrong, and what is OK
// can be read from end to end.

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/check.h"
#include "common/tensor/safetensors.h"
#include "tests/fuzz/one_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using entente::SafetensorsReader;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  entente::fuzz::OneFile files(bytes);
  const auto reader = SafetensorsReader::Open(files, "file");
  if (!reader.ok()) {
    ENTENTE_CHECK(absl::IsInvalidArgument(reader.status()));
    return 0;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < (*reader)->layout().tensors().size(); ++i) {
    const uint64_t tensor_bytes = (*reader)->layout().tensors()[i].Bytes();
    ENTENTE_CHECK(tensor_bytes <= size);
    std::vector<char> buffer(tensor_bytes);
    ENTENTE_CHECK((*reader)->ReadAt(i, 0, absl::MakeSpan(buffer)).ok());
    char beyond = 0;
    ENTENTE_CHECK(!(*reader)->ReadAt(i, tensor_bytes, absl::MakeSpan(&beyond, 1)).ok());
    total += tensor_bytes;
  }
  ENTENTE_CHECK(total == (*reader)->layout().TotalBytes() && total <= size);
  const std::string canonical = entente::SafetensorsHeader((*reader)->layout());
  ENTENTE_CHECK((*reader)->is_canonical() == (bytes.compare(0, canonical.size(), canonical) == 0));
  return 0;
}
