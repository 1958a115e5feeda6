// SPDX-License-Identifier: Apache-2.0
#include "worker/session/grpc_transfers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "worker/session/download.h"
#include "worker/session/upload.h"

namespace entente::worker {

GrpcTransfers::GrpcTransfers(const std::shared_ptr<grpc::Channel>& channel,
                             Dependencies dependencies)
    : GrpcTransfers(v1::TransferService::NewStub(channel), dependencies) {}

GrpcTransfers::GrpcTransfers(std::unique_ptr<v1::TransferService::StubInterface> stub,
                             Dependencies dependencies)
    : stub_(std::move(stub)), dependencies_(dependencies) {}

absl::StatusOr<ModelCache::Lease> GrpcTransfers::Download(const Digest& digest,
                                                          const std::string& job_id,
                                                          const TraceContext& trace,
                                                          const ByteProgress& progress,
                                                          const CancelToken& cancel) {
  worker::Download download(stub_.get(), dependencies_.cache, dependencies_.random,
                            dependencies_.download_pace,
                            {.digest = digest, .job_id = job_id, .trace = trace});
  return download.Run(progress, cancel);
}

absl::Status GrpcTransfers::Upload(const v1::UploadHeader& header, const std::string& path,
                                   bool compresses, const TraceContext& trace,
                                   const ByteProgress& progress, const CancelToken& cancel) {
  absl::StatusOr<std::unique_ptr<ReadableFile>> opened = dependencies_.files->OpenForRead(path);
  if (!opened.ok()) {
    return absl::InternalError(
        absl::StrCat("cannot read the update to send: ", opened.status().message()));
  }
  std::unique_ptr<ReadableFile> file = *std::move(opened);
  if (file->size_bytes() != header.total_bytes()) {
    return absl::InternalError(absl::StrCat("the update ", path, " has ", file->size_bytes(),
                                            " bytes, but its description says ",
                                            header.total_bytes()));
  }
  worker::Upload upload(stub_.get(), dependencies_.random, dependencies_.upload_pace, header,
                        std::move(file), {.compresses = compresses, .trace = trace});
  return upload.Run(progress, cancel);
}

}  // namespace entente::worker
