// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/byte_stream.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace entente::trainer {
namespace {

constexpr size_t kInputBytes = 256 << 10;
// deflate cannot shrink more than this (zlib's technical details, "maximum compression factor").
constexpr uint64_t kDeflateRatioMax = 1032;

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}

  absl::StatusOr<uint64_t> Read(absl::Span<uint8_t> buffer) override {
    const uint64_t count = std::min<uint64_t>(buffer.size(), file_->size_bytes() - offset_);
    ENTENTE_RETURN_IF_ERROR(
        file_->ReadAt(offset_, absl::MakeSpan(reinterpret_cast<char*>(buffer.data()), count)));
    offset_ += count;
    return count;
  }

  uint64_t bytes_max() const override { return file_->size_bytes() - offset_; }

 private:
  const std::unique_ptr<ReadableFile> file_;
  uint64_t offset_ = 0;
};

class GzipStream final : public ByteStream {
 public:
  GzipStream(std::unique_ptr<ReadableFile> file, std::string path)
      : unpacked_bytes_max_(file->size_bytes() * kDeflateRatioMax),
        compressed_(std::move(file)),
        path_(std::move(path)),
        input_(kInputBytes) {
    constexpr int kGzipWindowBits = 15 + 16;  // zlib.h: add 16 to read gzip's header.
    ENTENTE_CHECK(inflateInit2(&inflater_, kGzipWindowBits) == Z_OK);
  }
  ~GzipStream() override { inflateEnd(&inflater_); }

  absl::StatusOr<uint64_t> Read(absl::Span<uint8_t> buffer) override {
    uint64_t done = 0;
    while (done < buffer.size() && !at_end_) {
      ENTENTE_RETURN_IF_ERROR(RefillInput());
      const uint64_t wanted =
          std::min<uint64_t>(buffer.size() - done, std::numeric_limits<uInt>::max());
      inflater_.next_out = buffer.data() + done;
      inflater_.avail_out = static_cast<uInt>(wanted);
      const int result = inflate(&inflater_, Z_NO_FLUSH);
      done += wanted - inflater_.avail_out;
      if (result == Z_STREAM_END) {
        at_end_ = true;
      } else if (result != Z_OK) {
        return absl::DataLossError(
            absl::StrCat(path_, ": the gzip data is broken or cut off after ", inflater_.total_out,
                         " unpacked bytes; copy the file again"));
      }
    }
    return done;
  }

  uint64_t bytes_max() const override { return unpacked_bytes_max_; }

 private:
  absl::Status RefillInput() {
    if (inflater_.avail_in > 0) return absl::OkStatus();
    ENTENTE_ASSIGN_OR_RETURN(const uint64_t count, compressed_.Read(absl::MakeSpan(input_)));
    inflater_.next_in = input_.data();
    inflater_.avail_in = static_cast<uInt>(count);
    return absl::OkStatus();
  }

  const uint64_t unpacked_bytes_max_;
  PlainStream compressed_;
  const std::string path_;
  std::vector<uint8_t> input_;
  z_stream inflater_{};
  bool at_end_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> OpenByteStream(FileSystem& files,
                                                           const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  uint8_t magic[2] = {0, 0};
  if (file->size_bytes() >= sizeof(magic)) {
    ENTENTE_RETURN_IF_ERROR(
        file->ReadAt(0, absl::MakeSpan(reinterpret_cast<char*>(magic), sizeof(magic))));
  }
  if (magic[0] == 0x1f && magic[1] == 0x8b) {
    return std::unique_ptr<ByteStream>(std::make_unique<GzipStream>(std::move(file), path));
  }
  return std::unique_ptr<ByteStream>(std::make_unique<PlainStream>(std::move(file)));
}

}  // namespace entente::trainer
