// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_log_check.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"

namespace entente::store {
namespace {

constexpr size_t kLogHeaderBytes = 32;
constexpr size_t kSaltsAt = 16;
constexpr size_t kHeaderChecksumAt = 24;
constexpr size_t kFrameHeaderBytes = 24;
constexpr uint32_t kMagic = 0x377f0682;  // The last bit: checksums are of big-endian words.
constexpr uint32_t kPageBytesMin = 512;
constexpr uint32_t kPageBytesMax = 65536;
uint32_t WordAt(absl::string_view bytes, size_t offset, bool is_big_endian = true) {
  uint32_t word = 0;
  for (size_t i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + i]);
    word |= static_cast<uint32_t>(byte) << (8 * (is_big_endian ? 3 - i : i));
  }
  return word;
}

// SQLite's running checksum over pairs of words.
struct LogChecksum {
  uint32_t first = 0;
  uint32_t second = 0;

  void Add(absl::string_view bytes, bool is_big_endian) {
    for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      first += WordAt(bytes, at, is_big_endian) + second;
      second += WordAt(bytes, at + 4, is_big_endian) + first;
    }
  }
  bool IsAt(absl::string_view bytes, size_t offset) const {
    return WordAt(bytes, offset) == first && WordAt(bytes, offset + 4) == second;
  }
};

struct LogHeader {
  bool is_big_endian = false;
  uint32_t page_bytes = 0;
  LogChecksum checksum;  // Of the header itself.
};

LogHeader ReadHeader(absl::string_view bytes) {
  LogHeader header{
      .is_big_endian = (WordAt(bytes, 0) & 1) != 0, .page_bytes = WordAt(bytes, 8), .checksum = {}};
  header.checksum.Add(bytes.substr(0, kHeaderChecksumAt), header.is_big_endian);
  return header;
}

// Every frame is beside its own header: salts tell the log's frames from what an earlier log left
// behind, a size of the database that is not 0 ends a transaction.
class LogScan {
 public:
  LogScan(const LogHeader& header, std::string salts)
      : header_(header), salts_(std::move(salts)), checksum_(header.checksum) {}

  void Add(absl::string_view frame) {
    const bool is_of_this_log = frame.substr(8, 8) == salts_;
    if (!is_damaged_) {
      checksum_.Add(frame.substr(0, 8), header_.is_big_endian);
      checksum_.Add(frame.substr(kFrameHeaderBytes), header_.is_big_endian);
      is_damaged_ = !is_of_this_log || !checksum_.IsAt(frame, 16);
      if (!is_damaged_) ++good_frames_;
    }
    if (is_damaged_ && is_of_this_log && WordAt(frame, 4) != 0) ++commits_behind_damage_;
  }

  // A crash tears one transaction at most; its own commit may be on the disk, for writes land in
  // any order.
  bool HasLost() const { return commits_behind_damage_ > 1; }
  uint64_t good_frames() const { return good_frames_; }

 private:
  const LogHeader header_;
  const std::string salts_;
  LogChecksum checksum_;
  bool is_damaged_ = false;
  uint64_t good_frames_ = 0;
  uint64_t commits_behind_damage_ = 0;
};

}  // namespace

absl::Status CheckSqliteLog(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  std::string start(kLogHeaderBytes, '\0');
  if (file->size_bytes() < start.size()) return absl::OkStatus();
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(start.data(), start.size())));
  const LogHeader header = ReadHeader(start);
  // SQLite writes the header when the log before it was moved into the database, and syncs it
  // before any frame. Torn then, it loses nothing.
  const bool is_whole = header.checksum.IsAt(start, kHeaderChecksumAt) &&
                        (WordAt(start, 0) & ~1U) == kMagic && header.page_bytes >= kPageBytesMin &&
                        header.page_bytes <= kPageBytesMax;
  if (!is_whole) return absl::OkStatus();

  LogScan scan(header, start.substr(kSaltsAt, 8));
  std::string frame(kFrameHeaderBytes + header.page_bytes, '\0');
  for (uint64_t at = start.size(); at + frame.size() <= file->size_bytes(); at += frame.size()) {
    ENTENTE_RETURN_IF_ERROR(file->ReadAt(at, absl::MakeSpan(frame.data(), frame.size())));
    scan.Add(frame);
  }
  if (!scan.HasLost()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the log ", path, " is damaged at byte ",
                                          start.size() + scan.good_frames() * frame.size(),
                                          ", and what was acknowledged after it cannot be read; "
                                          "nothing was changed: put back a copy of "
                                          "the whole data directory"));
}

}  // namespace entente::store
