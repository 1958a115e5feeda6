// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_SUPPORT_BYTES_OF_H_
#define TESTS_SUPPORT_BYTES_OF_H_

#include <string>
#include <vector>

namespace entente {

// The numbers as they lie in memory, and on a little-endian machine in our files.
template <typename T = float>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace entente

#endif  // TESTS_SUPPORT_BYTES_OF_H_
