// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_LITTLE_ENDIAN_H_
#define COMMON_BASE_LITTLE_ENDIAN_H_

// Whole numbers as bytes, the lowest first, whatever the machine's own order is.

#include <cstdint>
#include <string>

namespace entente {

void AppendLittleEndian64(uint64_t value, std::string* out);
uint64_t ReadLittleEndian64(const char* bytes);  // Of 8 bytes.

}  // namespace entente

#endif  // COMMON_BASE_LITTLE_ENDIAN_H_
