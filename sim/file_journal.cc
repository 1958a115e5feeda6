// SPDX-License-Identifier: Apache-2.0
#include "sim/file_journal.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"

namespace entente::sim {
namespace {

constexpr uint64_t kJournalBytesMax = 64 << 20;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kHeadBytes = 4 + kChecksumBytes;

std::string Encoded(const store::JournalEntry& entry) {
  const std::string body = EntryText(entry);
  const uint32_t size = static_cast<uint32_t>(body.size());
  std::string text(4, '\0');
  std::memcpy(text.data(), &size, 4);
  return absl::StrCat(text, Sha256Of(body).Raw().substr(0, kChecksumBytes), body);
}

// The entry at the start of `rest`, which is cut off; none if it does not check out.
std::optional<store::JournalEntry> TakeEntry(absl::string_view* rest) {
  if (rest->size() < kHeadBytes) return std::nullopt;
  uint32_t size = 0;
  std::memcpy(&size, rest->data(), 4);
  if (size == 0 || rest->size() - kHeadBytes < size) return std::nullopt;
  const absl::string_view body = rest->substr(kHeadBytes, size);
  if (Sha256Of(body).Raw().substr(0, kChecksumBytes) != rest->substr(4, kChecksumBytes)) {
    return std::nullopt;
  }
  rest->remove_prefix(kHeadBytes + size);
  const std::vector<absl::string_view> parts = absl::StrSplit(body, absl::MaxSplits(' ', 3));
  if (parts.size() != 4) return std::nullopt;
  store::JournalEntry entry{
      .job = JobId(std::string(parts[0])), .sequence = 0, .at = {}, .record = {}};
  int64_t micros = 0;
  const bool is_whole = absl::SimpleAtoi(parts[1], &entry.sequence) &&
                        absl::SimpleAtoi(parts[2], &micros) &&
                        entry.record.ParseFromString(std::string(parts[3]));
  if (!is_whole) return std::nullopt;
  entry.at = absl::FromUnixMicros(micros);
  return entry;
}

}  // namespace

std::string EntryText(const store::JournalEntry& entry) {
  std::string record;
  {
    google::protobuf::io::StringOutputStream stream(&record);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    ENTENTE_CHECK(entry.record.SerializeToCodedStream(&coded));
  }
  return absl::StrCat(entry.job.value(), " ", entry.sequence, " ", absl::ToUnixMicros(entry.at),
                      " ", record);
}

absl::StatusOr<std::unique_ptr<FileJournal>> FileJournal::Open(FileSystem* files,
                                                               const std::string& path) {
  // Made under another name, so that its folder is synced once the file is there.
  if (!files->Exists(path)) ENTENTE_RETURN_IF_ERROR(WriteTextFile(*files, path, ""));
  ENTENTE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(*files, path, kJournalBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files->OpenForWrite(path));
  std::unique_ptr<FileJournal> journal(new FileJournal(std::move(file)));
  absl::string_view rest = text;
  while (std::optional<store::JournalEntry> entry = TakeEntry(&rest)) {
    uint64_t& sequence = journal->sequences_[entry->job];
    if (entry->sequence != sequence + 1) break;  // Of a longer entry that was written over.
    ++sequence;
    journal->end_ = text.size() - rest.size();
    journal->entries_.push_back(*std::move(entry));
  }
  // An entry whose sync failed may be readable and yet not be on the disk.
  ENTENTE_RETURN_IF_ERROR(
      journal->file_->WriteAt(0, absl::string_view(text).substr(0, journal->end_)));
  ENTENTE_RETURN_IF_ERROR(journal->file_->Sync());
  return journal;
}

absl::Status FileJournal::Append(const store::JournalEntry& entry) {
  uint64_t& sequence = sequences_[entry.job];
  if (entry.sequence != sequence + 1) return absl::AbortedError("another has written");
  const std::string text = Encoded(entry);
  ENTENTE_RETURN_IF_ERROR(file_->WriteAt(end_, text));
  ENTENTE_RETURN_IF_ERROR(file_->Sync());
  end_ += text.size();
  ++sequence;
  return absl::OkStatus();
}

absl::Status FileJournal::Replay(
    const std::function<absl::Status(const store::JournalEntry&)>& visit) const {
  for (const store::JournalEntry& entry : entries_) ENTENTE_RETURN_IF_ERROR(visit(entry));
  return absl::OkStatus();
}

}  // namespace entente::sim
