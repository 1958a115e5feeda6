// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_MODELS_MODEL_STORE_H_
#define COORDINATOR_MODELS_MODEL_STORE_H_

// Models, programs and optimizer states, each a file named by its digest: "<folder>/<digest>".
// Storing the same bytes twice is storing them once; what a file holds never changes, but one that
// the disk damaged is replaced when it is adopted again.
//
// A model may have a rounded copy (rounded_model.h). That is a file of its own; which one it is
// stands in "<folder>/<the model's digest>.bf16".

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/file_system.h"
#include "common/crypto/sha256.h"
#include "common/tensor/safetensors.h"
#include "common/transfer/incoming_file.h"
#include "common/transfer/path_lease.h"

namespace entente::models {

// How the name of a file in the store begins that is being written, and what a model's name has
// behind it that says which its rounded copy is.
inline constexpr absl::string_view kTemporaryPrefix = "tmp-";
inline constexpr absl::string_view kRoundedSuffix = ".bf16";

// Thread-safe.
class ModelStore {
 public:
  // Creates the folder and removes temporary files that a crash left. `files` is borrowed.
  static absl::StatusOr<std::unique_ptr<ModelStore>> Create(FileSystem& files, std::string folder);

  const std::string& folder() const { return folder_; }
  bool Contains(const Digest& digest) const;
  std::string PathOf(const Digest& digest) const;
  // The same from the store's folder on.
  static std::string NameOf(const Digest& digest) { return digest.ToHex(); }

  // NOT_FOUND naming the digest.
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const Digest& digest) const;
  absl::StatusOr<std::unique_ptr<SafetensorsReader>> OpenModel(const Digest& digest) const;

  // Receives a file that must hash to `digest`. UNAVAILABLE while another receives it.
  absl::StatusOr<std::unique_ptr<IncomingFile>> Receive(const Digest& digest, uint64_t total_bytes,
                                                        uint64_t free_bytes_min);

  // What cut uploads left, by the paths of the whole files that they are parts of.
  struct Parts {
    std::vector<std::string> kept;
    std::vector<std::string> removed;
  };
  // Removes the parts that were last written before `written_before`, and the oldest of the others
  // until `kept_max` are left; never one of a file that is being received. It says which it removed
  // and which it could have. What cannot be removed is kept, and logged. The disk's error if the
  // folder cannot be listed; nothing is removed then.
  absl::StatusOr<Parts> RemoveParts(absl::Time written_before, size_t kept_max);

  // A path in the same folder to write a new file to, then to hand to Adopt. Unique for `label`.
  std::string TemporaryPath(absl::string_view label) const;

  // Hashes the file, syncs it, and renames it to its digest; it takes the place of a stored one
  // that is damaged. On error the file is where it was or gone, and not stored.
  absl::StatusOr<Digest> Adopt(const std::string& temporary_path) ABSL_LOCKS_EXCLUDED(naming_mu_);
  // The same, of a file whose digest is known.
  absl::Status AdoptAs(const std::string& temporary_path, const Digest& digest)
      ABSL_LOCKS_EXCLUDED(naming_mu_);

  // The digest of the model's rounded copy; none if there is none here.
  Digest RoundedOf(const Digest& model) const;
  // Says that `rounded`, which is here, is the copy of `model`, which may yet come. `label` as
  // for TemporaryPath.
  absl::Status SetRounded(const Digest& model, const Digest& rounded, absl::string_view label);

  // Full digest of the one file whose name starts with `prefix` (8 digits at least). NOT_FOUND;
  // INVALID_ARGUMENT if it is shorter or fits several.
  absl::StatusOr<Digest> Find(absl::string_view prefix) const;

 private:
  ModelStore(FileSystem* files, std::string folder);

  std::string RoundedPathOf(const Digest& model) const;
  // Whether the file is here, and has its digest.
  bool IsWhole(const Digest& digest) const;

  FileSystem& files_;
  const std::string folder_;
  PathLeases leases_;
  // Held while an adopted file gets its name, the sync of its folder included, or one that has the
  // name already is read: two jobs that give the same name at once must not take each other's away.
  absl::Mutex naming_mu_;
};

}  // namespace entente::models

#endif  // COORDINATOR_MODELS_MODEL_STORE_H_
