// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_MODEL_TRANSFER_H_
#define CLI_MODEL_TRANSFER_H_

// Files between this machine and the coordinator: initial models and programs up, models down. Both
// ways continue where a cut left them, and both check the digest.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "cli/coordinator_client.h"
#include "cli/output.h"
#include "common/base/file_system.h"
#include "common/base/random_source.h"
#include "common/crypto/sha256.h"
#include "entente/v1/transfer_service.pb.h"

namespace entente::cli {

// Borrowed; must outlive the transfer.
struct TransferDependencies {
  CoordinatorClient* client = nullptr;
  FileSystem* files = nullptr;
  RandomSource* random = nullptr;
  Interruption* interruption = nullptr;
  Output* output = nullptr;
};

struct BlobToUpload {
  std::string path;
  Digest digest;
  v1::BlobDescription::Content content = v1::BlobDescription::CONTENT_UNSPECIFIED;
};

// Sends the file; what the coordinator has of it already is not sent again. A connection that
// breaks is tried again up to five times in a row without progress.
//
// INVALID_ARGUMENT: the file cannot be read or changed under way, or the coordinator finds it
// malformed. Other codes as TransferService.Upload gives them.
absl::Status UploadBlob(const TransferDependencies& deps, const BlobToUpload& blob);

struct ModelToDownload {
  Digest digest;
  uint64_t total_bytes = 0;
  std::string path;
};

// Fetches a model to `path`, by way of "<path>.part", which stays for the next try if this one
// fails. A connection that breaks is tried again up to five times in a row without progress.
//
// NOT_FOUND: the coordinator has no such model. DATA_LOSS: what came is another file; the part is
// gone. RESOURCE_EXHAUSTED: no room on the disk.
absl::Status DownloadModel(const TransferDependencies& deps, const ModelToDownload& model);

}  // namespace entente::cli

#endif  // CLI_MODEL_TRANSFER_H_
