// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/idx.h"

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "trainer/data/byte_stream.h"

namespace entente::trainer {
namespace {

constexpr uint8_t kUnsignedByte = 8;

absl::Status ReadExactly(ByteStream& stream, absl::Span<uint8_t> buffer, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t count, stream.Read(buffer));
  if (count == buffer.size()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, ": is cut off within its header; copy the file again"));
}

absl::StatusOr<std::vector<int64_t>> ReadShape(ByteStream& stream, const std::string& path,
                                               size_t rank_min, size_t rank_max) {
  uint8_t magic[4];
  ENTENTE_RETURN_IF_ERROR(ReadExactly(stream, absl::MakeSpan(magic), path));
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != kUnsignedByte) {
    const std::string found = absl::BytesToHexString(
        absl::string_view(reinterpret_cast<const char*>(magic), sizeof(magic)));
    return absl::InvalidArgumentError(absl::StrCat(path,
                                                   ": is not an IDX file of bytes: it starts with ",
                                                   found, ", expected 000008 and a rank"));
  }
  const size_t rank = magic[3];
  if (rank < rank_min || rank > rank_max) {
    const std::string expected =
        rank_min == rank_max ? absl::StrCat(rank_min) : absl::StrCat(rank_min, " to ", rank_max);
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": has ", rank, " dimensions, expected ", expected));
  }
  std::vector<int64_t> shape;
  for (size_t i = 0; i < rank; ++i) {
    uint8_t bytes[4];
    ENTENTE_RETURN_IF_ERROR(ReadExactly(stream, absl::MakeSpan(bytes), path));
    shape.push_back(int64_t{bytes[0]} << 24 | int64_t{bytes[1]} << 16 | int64_t{bytes[2]} << 8 |
                    int64_t{bytes[3]});
    if (shape.back() == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": holds no examples: dimension ", i, " is 0"));
    }
  }
  return shape;
}

}  // namespace

absl::StatusOr<IdxArray> ReadIdx(FileSystem& files, const std::string& path, size_t rank_min,
                                 size_t rank_max) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ByteStream> stream, OpenByteStream(files, path));
  IdxArray array;
  ENTENTE_ASSIGN_OR_RETURN(array.shape, ReadShape(*stream, path, rank_min, rank_max));
  uint64_t expected = 1;
  for (const int64_t side : array.shape) {
    if (__builtin_mul_overflow(expected, static_cast<uint64_t>(side), &expected))
      expected = UINT64_MAX;
  }
  if (expected > stream->bytes_max()) {
    return absl::DataLossError(absl::StrCat(path, ": is truncated: expected ", expected,
                                            " bytes of data, found at most ", stream->bytes_max(),
                                            "; copy the file again"));
  }
  array.elements.resize(expected);
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t found, stream->Read(absl::MakeSpan(array.elements)));
  if (found < expected) {
    return absl::DataLossError(absl::StrCat(path, ": is truncated: expected ", expected,
                                            " bytes of data, found ", found,
                                            "; copy the file again"));
  }
  uint8_t beyond = 0;
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t extra, stream->Read(absl::MakeSpan(&beyond, 1)));
  if (extra > 0) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": holds more than the ", expected,
                                                   " bytes of data its header declares"));
  }
  return array;
}

absl::Status WriteIdx(FileSystem& files, const std::string& path, const IdxArray& array) {
  std::string bytes = {0, 0, static_cast<char>(kUnsignedByte),
                       static_cast<char>(array.shape.size())};
  for (const int64_t side : array.shape) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(side >> shift & 0xff));
  }
  bytes.append(reinterpret_cast<const char*>(array.elements.data()), array.elements.size());
  return WriteTextFile(files, path, bytes);
}

}  // namespace entente::trainer
