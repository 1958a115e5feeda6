// SPDX-License-Identifier: Apache-2.0
#include "cli/model_transfer.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/retry.h"
#include "common/base/status_macros.h"
#include "common/transfer/incoming_file.h"

namespace entente::cli {
namespace {

// Tries in a row that may bring nothing before a transfer is given up.
constexpr int kFruitlessTriesMax = 5;

// Whether another try can help: the connection broke, the coordinator has no room or no slot for
// the transfer yet, or the offset no longer fits what it has.
bool IsWorthAnotherTry(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kOutOfRange;
}

// Repeats `attempt` until it is OK, fails for good, or brings nothing several times in a row.
// `attempt` returns its status and sets where it got to, if it got through at all: a coordinator
// that was never there is not waited for.
template <typename Attempt>
absl::Status WithRetries(const TransferDependencies& deps, Attempt attempt) {
  Backoff backoff(limits::kBackoffFirst, limits::kBackoffMax, deps.random);
  uint64_t furthest = 0;
  bool got_through = false;
  for (int fruitless = 0;;) {
    std::optional<uint64_t> reached;
    const absl::Status status = attempt(&reached);
    got_through |= reached.has_value() || absl::IsResourceExhausted(status);
    if (status.ok() || !IsWorthAnotherTry(status) || !got_through) return status;
    if (reached && *reached > furthest) {
      furthest = *reached;
      fruitless = 0;
      backoff.Reset();
    }
    if (++fruitless >= kFruitlessTriesMax) {
      return absl::Status(
          status.code(),
          absl::StrCat(status.message(), " (given up after ", fruitless,
                       " tries; the same command continues where this one stopped)"));
    }
    const absl::Duration wait = backoff.Next();
    deps.output->Note(absl::StrCat(Printable(status.message()), "; trying again"));
    if (deps.interruption->WaitFor(wait)) return deps.interruption->Check();
  }
}

// One try of an upload: asks where to continue, then sends the rest.
absl::Status UploadOnce(const TransferDependencies& deps, const ReadableFile& file,
                        const v1::UploadHeader& header, std::optional<uint64_t>* reached) {
  ENTENTE_ASSIGN_OR_RETURN(const v1::UploadOffset offset, deps.client->GetUploadOffset(header));
  uint64_t position = std::min(offset.offset(), file.size_bytes());
  *reached = position;
  std::string buffer;
  const auto next_chunk = [&](v1::Chunk* chunk) -> absl::StatusOr<bool> {
    deps.output->Progress("uploading", position, file.size_bytes());
    if (position == file.size_bytes()) return false;
    buffer.resize(std::min<uint64_t>(limits::kTransferChunkBytes, file.size_bytes() - position));
    const absl::Status read = file.ReadAt(position, absl::MakeSpan(buffer.data(), buffer.size()));
    if (!read.ok()) return absl::InvalidArgumentError(read.message());
    chunk->set_offset(position);
    chunk->set_data(buffer);
    position += buffer.size();
    return true;
  };
  const absl::StatusOr<v1::UploadReceipt> receipt = deps.client->Upload(header, next_chunk);
  deps.output->FinishProgress();
  ENTENTE_RETURN_IF_ERROR(receipt.status());
  if (receipt->digest() != header.digest()) {
    return absl::DataLossError(absl::StrCat("the coordinator stored ", receipt->digest(), " where ",
                                            header.digest(), " was sent"));
  }
  return absl::OkStatus();
}

// Receives what is missing of the model, over as many connections as it takes.
absl::Status Receive(const TransferDependencies& deps, const ModelToDownload& model,
                     IncomingFile& incoming) {
  return WithRetries(deps, [&](std::optional<uint64_t>* reached) {
    v1::DownloadRequest request;
    request.set_digest(model.digest.ToHex());
    request.set_offset(incoming.offset());
    const absl::Status status = deps.client->Download(request, [&](const v1::Chunk& chunk) {
      deps.output->Progress("downloading", incoming.offset(), model.total_bytes);
      return AsOutputFileError(incoming.Append(chunk.offset(), chunk.data()));
    });
    *reached = incoming.offset();
    if (status.ok() && incoming.offset() < model.total_bytes) {
      return absl::UnavailableError(
          absl::StrCat("the model ended at byte ", incoming.offset(), " of ", model.total_bytes));
    }
    return status;
  });
}

absl::Status DownloadOnce(const TransferDependencies& deps, const ModelToDownload& model,
                          bool* continued) {
  absl::StatusOr<std::unique_ptr<IncomingFile>> incoming =
      IncomingFile::Open(*deps.files, model.path, model.total_bytes, /*free_bytes_min=*/0);
  if (!incoming.ok()) return AsOutputFileError(incoming.status());
  *continued = (*incoming)->offset() > 0;
  const absl::Status received = Receive(deps, model, **incoming);
  deps.output->FinishProgress();
  ENTENTE_RETURN_IF_ERROR(received);
  ENTENTE_RETURN_IF_ERROR(AsOutputFileError((*incoming)->Verify(model.digest)));
  return AsOutputFileError((*incoming)->Commit());
}

}  // namespace

absl::Status UploadBlob(const TransferDependencies& deps, const BlobToUpload& blob) {
  absl::StatusOr<std::unique_ptr<ReadableFile>> file = deps.files->OpenForRead(blob.path);
  if (!file.ok()) return AsInputFileError(file.status());
  v1::UploadHeader header;
  header.mutable_blob()->set_content(blob.content);
  header.set_digest(blob.digest.ToHex());
  header.set_total_bytes((*file)->size_bytes());
  return WithRetries(deps, [&](std::optional<uint64_t>* reached) {
    return UploadOnce(deps, **file, header, reached);
  });
}

absl::Status DownloadModel(const TransferDependencies& deps, const ModelToDownload& model) {
  bool continued = false;
  const absl::Status status = DownloadOnce(deps, model, &continued);
  // What was continued may have been the beginning of another file; now it is gone.
  if (continued && status.code() == absl::StatusCode::kDataLoss) {
    return DownloadOnce(deps, model, &continued);
  }
  return status;
}

}  // namespace entente::cli
