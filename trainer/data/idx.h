// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_DATA_IDX_H_
#define TRAINER_DATA_IDX_H_

// IDX files of bytes, the format of MNIST and its relatives (yann.lecun.com/exdb/mnist): two zero
// bytes, the element type (8: unsigned byte), the number of dimensions, each dimension as 32 bits
// big-endian, then the elements, the last dimension fastest. Gzipped files are read as they are.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"

namespace entente::trainer {

struct IdxArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> elements;
};

// Reads `path`, which must have `rank_min` to `rank_max` dimensions. No more memory is taken than
// the file can fill, whatever its header declares.
//
// INVALID_ARGUMENT or DATA_LOSS, naming the file: another magic, another rank, an empty dimension,
// or more or fewer bytes than the header declares.
absl::StatusOr<IdxArray> ReadIdx(FileSystem& files, const std::string& path, size_t rank_min,
                                 size_t rank_max);

// Writes `array` to `path`, not gzipped, replacing what was there.
absl::Status WriteIdx(FileSystem& files, const std::string& path, const IdxArray& array);

}  // namespace entente::trainer

#endif  // TRAINER_DATA_IDX_H_
