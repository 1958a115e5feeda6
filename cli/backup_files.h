// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_BACKUP_FILES_H_
#define CLI_BACKUP_FILES_H_

// A coordinator's data directory as it arrives from AdminService.Backup, written to a folder.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "entente/v1/admin_service.pb.h"

namespace entente::cli {

// The stored files that are in the folder already, by their digests, which are taken anew: what an
// earlier backup, or one that was cut off, has brought need not come again. NOT_FOUND never: a
// folder that is not there has none.
absl::StatusOr<std::map<Digest, std::string>> StoredFilesIn(FileSystem& files,
                                                            const std::string& folder);

// Takes the messages of one backup in their order. What comes is written beside its place, checked
// against its digest, synced and renamed; the journal, which comes first, is put in its place last,
// so that a folder with a journal is whole. Not thread-safe.
class BackupFiles {
 public:
  // Makes the folder. ALREADY_EXISTS if there is a journal in it, or what SQLite kept beside one:
  // nobody's data is overwritten, and no old log is laid over the journal that comes.
  static absl::StatusOr<std::unique_ptr<BackupFiles>> Create(FileSystem& files, std::string folder,
                                                             std::map<Digest, std::string> present);

  // INVALID_ARGUMENT if a path would leave the folder, or the message does not fit those before;
  // DATA_LOSS if a file's digest is another; from the disk: RESOURCE_EXHAUSTED, UNAVAILABLE.
  absl::Status Take(const v1::BackupMessage& message);

  // Puts the journal in its place; UNAVAILABLE if the end has not come, ALREADY_EXISTS, with
  // nothing changed, if one or what SQLite keeps beside one has appeared there since Create.
  absl::StatusOr<v1::BackupEnd> Finish();

  uint64_t received_bytes() const { return received_bytes_; }

 private:
  BackupFiles(FileSystem* files, std::string folder, std::map<Digest, std::string> present);
  absl::Status BeginFile(const v1::BackupFile& file);
  absl::Status Append(const std::string& data);
  absl::Status CheckPresent(const v1::BackupFile& file);
  absl::Status EndFileIfWhole();
  std::string PathOf(const std::string& name) const;

  FileSystem& files_;
  const std::string folder_;
  const std::map<Digest, std::string> present_;

  // The file that comes; null between two.
  std::unique_ptr<WritableFile> open_file_;
  v1::BackupFile file_;
  Digest digest_;
  Sha256 hash_;
  uint64_t offset_ = 0;

  bool has_journal_ = false;
  bool has_ended_ = false;
  v1::BackupEnd end_;
  uint64_t file_count_ = 0;
  uint64_t received_bytes_ = 0;
};

}  // namespace entente::cli

#endif  // CLI_BACKUP_FILES_H_
