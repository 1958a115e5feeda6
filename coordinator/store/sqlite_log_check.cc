// SPDX-License-Identifier: Apache-2.0
#include "coordinator/store/sqlite_log_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/status_macros.h"
#include "coordinator/store/sqlite_file_system.h"

namespace entente::store {
namespace {

constexpr size_t kLogHeaderBytes = 32;
constexpr size_t kSaltsAt = 16;
constexpr size_t kRestartAt = 12;  // Which restart of the log it is; the salts follow.
constexpr size_t kHeaderChecksumAt = 24;
constexpr size_t kFrameHeaderBytes = 24;
constexpr size_t kFrameChecksumAt = 16;
constexpr uint32_t kMagic = 0x377f0682;  // The last bit: checksums are of big-endian words.
constexpr uint32_t kFormat = 3007000;
constexpr uint32_t kPageBytesMin = 512;
constexpr uint32_t kPageBytesMax = 65536;
constexpr uint32_t kJournalPageBytes = 4096;  // SQLite's default; no journal has another.
constexpr uint64_t kPieceBytes = 1 << 20;

uint32_t WordAt(absl::string_view bytes, size_t offset, bool is_big_endian = true) {
  uint32_t word = 0;
  for (size_t i = 0; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[offset + i]);
    word |= static_cast<uint32_t>(byte) << (8 * (is_big_endian ? 3 - i : i));
  }
  return word;
}

void PutWord(uint32_t word, size_t offset, bool is_big_endian, std::string* bytes) {
  for (size_t i = 0; i < 4; ++i) {
    (*bytes)[offset + i] = static_cast<char>(word >> (8 * (is_big_endian ? 3 - i : i)) & 0xff);
  }
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
  // Undoes Add.
  void TakeBack(absl::string_view bytes, bool is_big_endian) {
    for (size_t at = bytes.size() / 8 * 8; at > 0; at -= 8) {
      second -= WordAt(bytes, at - 4, is_big_endian) + first;
      first -= WordAt(bytes, at - 8, is_big_endian) + second;
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

// Whether the frame was written after the one that `checksum` is of; it is the frame's own then.
bool Follows(absl::string_view frame, bool is_big_endian, LogChecksum* checksum) {
  checksum->Add(frame.substr(0, 8), is_big_endian);
  checksum->Add(frame.substr(kFrameHeaderBytes), is_big_endian);
  return checksum->IsAt(frame, kFrameChecksumAt);
}

// Reads frame after frame. Salts tell the log's frames from what an earlier log left behind, a size
// of the database that is not 0 ends a transaction, and a frame's checksum goes on from that of the
// frame before it.
class LogScan {
 public:
  LogScan(const LogHeader& header, std::string salts)
      : header_(header), salts_(std::move(salts)), computed_(header.checksum) {}

  void Add(absl::string_view frame) {
    const bool is_of_this_log = frame.substr(8, 8) == salts_;
    const bool is_commit = WordAt(frame, 4) != 0;
    if (!is_damaged_) {
      is_damaged_ = !Follows(frame, header_.is_big_endian, &computed_) || !is_of_this_log;
      if (!is_damaged_) {
        ++good_frames_;
        return;
      }
    } else if (is_of_this_log && GoesOn(frame)) {
      commits_in_row_ += is_commit ? 1 : 0;
      commits_in_row_max_ = std::max(commits_in_row_max_, commits_in_row_);
      KeepStored(frame);
      return;
    }
    // The first of a row. What an earlier log left is none, unless a frame of this log follows it,
    // which can only be if it is its salts that are damaged.
    commits_in_row_ = is_commit ? 1 : 0;
    KeepStored(frame);
  }

  // A crash tears one transaction, whose own commit may be on the disk, for writes land in any
  // order. Behind it may lie what earlier crashes tore and the transaction did not write over; but
  // none of that was written after it, or after another of them, so no checksum goes on from one
  // to the other.
  bool HasLost() const { return commits_in_row_max_ > 1; }
  uint64_t good_frames() const { return good_frames_; }

 private:
  // Whether the frame was written after the one before it, behind the damage. Either that one's
  // bytes are damaged, and what it says of itself holds, or it is what it says that is damaged.
  bool GoesOn(absl::string_view frame) {
    LogChecksum stored = stored_;
    return Follows(frame, header_.is_big_endian, &stored) ||
           Follows(frame, header_.is_big_endian, &computed_);
  }
  void KeepStored(absl::string_view frame) {
    stored_ = {.first = WordAt(frame, kFrameChecksumAt),
               .second = WordAt(frame, kFrameChecksumAt + 4)};
  }

  const LogHeader header_;
  const std::string salts_;
  LogChecksum
      computed_;        // From the header on, to the first damaged frame and what goes on from it.
  LogChecksum stored_;  // What the last frame behind the damage says.
  bool is_damaged_ = false;
  uint64_t good_frames_ = 0;
  uint64_t commits_in_row_ = 0;  // Of frames each of which was written after the one before it.
  uint64_t commits_in_row_max_ = 0;
};

// The header that stood before `first_frame` when it was written, for its checksum goes on from the
// header's: all but the number of the restart is known, and that follows. Empty if there is none.
std::string HeaderBefore(absl::string_view first_frame, bool is_big_endian) {
  LogChecksum end{.first = WordAt(first_frame, kFrameChecksumAt),
                  .second = WordAt(first_frame, kFrameChecksumAt + 4)};
  end.TakeBack(first_frame.substr(kFrameHeaderBytes), is_big_endian);
  end.TakeBack(first_frame.substr(0, 8), is_big_endian);
  std::string header(kLogHeaderBytes, '\0');
  PutWord(kMagic | (is_big_endian ? 1 : 0), 0, true, &header);
  PutWord(kFormat, 4, true, &header);
  PutWord(kJournalPageBytes, 8, true, &header);
  first_frame.substr(8, 8).copy(header.data() + kSaltsAt, 8);
  PutWord(end.first, kHeaderChecksumAt, true, &header);
  PutWord(end.second, kHeaderChecksumAt + 4, true, &header);

  LogChecksum begin;
  begin.Add(absl::string_view(header).substr(0, 8), is_big_endian);
  end.TakeBack(absl::string_view(header).substr(kSaltsAt, 8), is_big_endian);
  if (end.first != begin.first + WordAt(header, 8, is_big_endian) + begin.second) return "";
  PutWord(end.second - begin.second - end.first, kRestartAt, is_big_endian, &header);
  return header;
}

// Where each page is last in the commits of the log that began with `header`.
absl::StatusOr<std::map<uint32_t, uint64_t>> LastPages(const ReadableFile& log,
                                                       absl::string_view header) {
  const LogHeader read = ReadHeader(header);
  LogChecksum checksum = read.checksum;
  std::map<uint32_t, uint64_t> pages;
  std::map<uint32_t, uint64_t> uncommitted;
  uint32_t page_count = 0;
  std::string frame(kFrameHeaderBytes + read.page_bytes, '\0');
  for (uint64_t at = kLogHeaderBytes; at + frame.size() <= log.size_bytes(); at += frame.size()) {
    ENTENTE_RETURN_IF_ERROR(log.ReadAt(at, absl::MakeSpan(frame.data(), frame.size())));
    const bool is_of_this_log = absl::string_view(frame).substr(8, 8) == header.substr(kSaltsAt, 8);
    if (!is_of_this_log || !Follows(frame, read.is_big_endian, &checksum)) break;
    uncommitted[WordAt(frame, 0)] = at + kFrameHeaderBytes;
    if (WordAt(frame, 4) == 0) continue;
    page_count = WordAt(frame, 4);
    for (const auto& [page, place] : uncommitted) pages[page] = place;
    uncommitted.clear();
  }
  pages.erase(pages.upper_bound(page_count), pages.end());
  return pages;
}

// Whether all that the log which began with `header` has committed is in the database.
absl::StatusOr<bool> IsMoved(FileSystem& files, const std::string& database_path,
                             const ReadableFile& log, absl::string_view header) {
  if (!files.Exists(database_path)) return false;
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> database,
                           files.OpenForRead(database_path));
  ENTENTE_ASSIGN_OR_RETURN(const auto pages, LastPages(log, header));
  std::string logged(kJournalPageBytes, '\0');
  std::string moved(kJournalPageBytes, '\0');
  for (const auto& [page, place] : pages) {  // Pages are numbered from 1.
    const uint64_t end = uint64_t{page} * kJournalPageBytes;
    if (page == 0 || end > database->size_bytes()) return false;
    ENTENTE_RETURN_IF_ERROR(log.ReadAt(place, absl::MakeSpan(logged.data(), logged.size())));
    ENTENTE_RETURN_IF_ERROR(
        database->ReadAt(end - kJournalPageBytes, absl::MakeSpan(moved.data(), moved.size())));
    if (logged != moved) return false;
  }
  return true;
}

// Whether a header that is not whole hides a log that was: SQLite would take it for an empty one. A
// crash may tear a header that is written over another, in whatever way; but that is done only when
// all of the log is in the database. Without a first frame that is whole there is nothing to tell.
absl::StatusOr<bool> IsDamagedHeader(FileSystem& files, const std::string& database_path,
                                     const ReadableFile& file) {
  std::string frame(kFrameHeaderBytes + kJournalPageBytes, '\0');
  if (file.size_bytes() < kLogHeaderBytes + frame.size()) return false;
  ENTENTE_RETURN_IF_ERROR(file.ReadAt(kLogHeaderBytes, absl::MakeSpan(frame.data(), frame.size())));
  for (const bool is_big_endian : {false, true}) {
    const std::string before = HeaderBefore(frame, is_big_endian);
    if (before.empty()) continue;
    ENTENTE_ASSIGN_OR_RETURN(const bool is_moved, IsMoved(files, database_path, file, before));
    return !is_moved;
  }
  return false;
}

bool BeginsAsALog(absl::string_view start) {
  return (WordAt(start, 0) & ~1U) == kMagic && WordAt(start, 4) == kFormat &&
         WordAt(start, 8) == kJournalPageBytes;
}

absl::Status LogDamage(const std::string& path, uint64_t at) {
  return absl::DataLossError(absl::StrCat("the log ", path, " is damaged at byte ", at,
                                          ", and what was acknowledged after it cannot be read; "
                                          "nothing was changed: put back a copy of "
                                          "the whole data directory"));
}

}  // namespace

std::string LogPathOf(const std::string& database_path) { return database_path + "-wal"; }

absl::StatusOr<uint64_t> CheckSqliteLog(FileSystem& files, const std::string& database_path) {
  const std::string path = LogPathOf(database_path);
  if (!files.Exists(path)) return 0;
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  std::string start(kLogHeaderBytes, '\0');
  if (file->size_bytes() < start.size()) return 0;
  ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(start.data(), start.size())));
  const LogHeader header = ReadHeader(start);
  // SQLite writes the header when the log before it was moved into the database, and syncs it
  // before any frame. Torn then, it loses nothing.
  const bool is_whole = header.checksum.IsAt(start, kHeaderChecksumAt) &&
                        (WordAt(start, 0) & ~1U) == kMagic && header.page_bytes >= kPageBytesMin &&
                        header.page_bytes <= kPageBytesMax;
  if (!is_whole) {
    ENTENTE_ASSIGN_OR_RETURN(const bool is_damaged, IsDamagedHeader(files, database_path, *file));
    if (is_damaged) return LogDamage(path, 0);
    return 0;
  }

  LogScan scan(header, start.substr(kSaltsAt, 8));
  std::string frame(kFrameHeaderBytes + header.page_bytes, '\0');
  for (uint64_t at = start.size(); at + frame.size() <= file->size_bytes(); at += frame.size()) {
    ENTENTE_RETURN_IF_ERROR(file->ReadAt(at, absl::MakeSpan(frame.data(), frame.size())));
    scan.Add(frame);
  }
  const uint64_t good_bytes = start.size() + scan.good_frames() * frame.size();
  if (scan.HasLost()) return LogDamage(path, good_bytes);
  return good_bytes;
}

absl::Status CheckLogIsMade(FileSystem& files, const std::string& database_path) {
  const std::string path = LogPathOf(database_path);
  const uint64_t size_bytes = files.SizeBytes(path).value_or(0);
  std::string what = size_bytes == 0
                         ? "lost"
                         : absl::StrCat("cut off (", size_bytes, " of ", kLogBytes, " bytes)");
  if (size_bytes >= kLogBytes) {
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
    std::string start(kRestartAt, '\0');  // What is the same in every header.
    ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(start.data(), start.size())));
    if (BeginsAsALog(start)) return absl::OkStatus();
    what = "overwritten";
  }
  return absl::DataLossError(absl::StrCat(
      "the journal ", database_path, " was in use when its log ", path, " was ", what,
      ", and what was acknowledged last may have been in that log alone; nothing was changed: put "
      "the log, or a copy of the whole data directory, back"));
}

absl::Status WriteLogAgain(FileSystem& files, const std::string& database_path) {
  const std::string path = LogPathOf(database_path);
  if (!files.Exists(path)) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> reader, files.OpenForRead(path));
  const uint64_t size_bytes = reader->size_bytes();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> writer, files.OpenForWrite(path));
  std::string piece;
  for (uint64_t at = 0; at < size_bytes; at += piece.size()) {
    piece.resize(std::min(kPieceBytes, size_bytes - at));
    ENTENTE_RETURN_IF_ERROR(reader->ReadAt(at, absl::MakeSpan(piece.data(), piece.size())));
    ENTENTE_RETURN_IF_ERROR(writer->WriteAt(at, piece));
  }
  return writer->Sync();
}

}  // namespace entente::store
