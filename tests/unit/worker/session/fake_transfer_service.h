// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_FAKE_TRANSFER_SERVICE_H_
#define TESTS_UNIT_WORKER_SESSION_FAKE_TRANSFER_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/transfer/chunk_compression.h"
#include "entente/v1/transfer_service.grpc.pb.h"

namespace entente::worker {

// A coordinator's TransferService in this process, told what to break.
class FakeTransferService final : public v1::TransferService::Service {
 public:
  // What a coordinator should not send in a download.
  struct BadChunk {
    uint64_t offset = 0;
    std::string data;
    uint64_t total_bytes = 0;
  };
  using BadChunks = std::vector<BadChunk>;

  // Thread-safe for the calls below; set what is to break before the call.
  std::map<std::string, std::string> files;  // What may be downloaded, by digest.
  size_t chunk_bytes = 4;
  bool compresses = false;                 // What is downloaded.
  int chunks_to_spoil = 0;                 // Of the first ones that are compressed.
  std::deque<size_t> cut_downloads_after;  // Chunks sent before each next download breaks.
  // What each next download sends, whatever it was asked for; then it ends as if that were all.
  std::deque<BadChunks> bad_downloads;
  std::deque<grpc::Status> upload_results;  // Of the next uploads, instead of OK.
  std::deque<size_t> cut_uploads_after;     // Bytes taken before each next upload breaks.

  std::vector<uint64_t> DownloadOffsets() const {
    absl::MutexLock lock(&mu_);
    return download_offsets_;
  }
  std::string Uploaded() const {
    absl::MutexLock lock(&mu_);
    return uploaded_;
  }
  // Bytes of chunks of uploads, as they travelled.
  uint64_t SentBytes() const {
    absl::MutexLock lock(&mu_);
    return sent_bytes_;
  }
  std::vector<uint64_t> UploadOffsets() const {
    absl::MutexLock lock(&mu_);
    return upload_offsets_;
  }
  // What each call said in its metadata; "" where it said nothing.
  std::vector<std::string> Traceparents() const {
    absl::MutexLock lock(&mu_);
    return traceparents_;
  }

  grpc::Status Download(grpc::ServerContext* context, const v1::DownloadRequest* request,
                        grpc::ServerWriter<v1::Chunk>* writer) override {
    absl::MutexLock lock(&mu_);
    NoteTraceparent(*context);
    download_offsets_.push_back(request->offset());
    const auto file = files.find(request->digest());
    if (file == files.end()) return {grpc::StatusCode::NOT_FOUND, "there is no such model"};
    v1::Chunk chunk;
    if (!bad_downloads.empty()) {
      for (const BadChunk& bad : bad_downloads.front()) {
        chunk.set_offset(bad.offset);
        chunk.set_data(bad.data);
        chunk.set_total_bytes(bad.total_bytes);
        writer->Write(chunk);
      }
      bad_downloads.pop_front();
      return grpc::Status::OK;
    }
    size_t chunks_left = file->second.size() + 1;
    if (!cut_downloads_after.empty()) {
      chunks_left = cut_downloads_after.front();
      cut_downloads_after.pop_front();
    }
    chunk.set_total_bytes(file->second.size());
    for (uint64_t offset = request->offset(); offset < file->second.size(); offset += chunk_bytes) {
      if (chunks_left-- == 0) return {grpc::StatusCode::UNAVAILABLE, "the line is cut"};
      chunk.set_offset(offset);
      chunk.set_data(file->second.substr(offset, chunk_bytes));
      chunk.set_raw_bytes(0);
      if (compresses && request->reads_zstd()) {
        const auto raw_bytes = static_cast<uint32_t>(chunk.data().size());
        if (ChunkCompressor().Compress(chunk.mutable_data())) chunk.set_raw_bytes(raw_bytes);
        if (chunks_to_spoil-- > 0) chunk.set_data("no frame");
      }
      writer->Write(chunk);
      chunk.clear_total_bytes();
    }
    return grpc::Status::OK;
  }

  grpc::Status GetUploadOffset(grpc::ServerContext* context, const v1::UploadHeader*,
                               v1::UploadOffset* offset) override {
    absl::MutexLock lock(&mu_);
    NoteTraceparent(*context);
    offset->set_offset(uploaded_.size());
    return grpc::Status::OK;
  }

  grpc::Status Upload(grpc::ServerContext* context, grpc::ServerReader<v1::UploadMessage>* reader,
                      v1::UploadReceipt* receipt) override {
    absl::MutexLock lock(&mu_);
    NoteTraceparent(*context);
    v1::UploadMessage message;
    if (!reader->Read(&message) || !message.has_header()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "no header"};
    }
    const v1::UploadHeader header = message.header();
    upload_offsets_.push_back(uploaded_.size());
    if (!upload_results.empty()) {
      const grpc::Status result = upload_results.front();
      upload_results.pop_front();
      if (!result.ok()) return result;
    }
    size_t bytes_left = header.total_bytes() + 1;
    if (!cut_uploads_after.empty()) {
      bytes_left = cut_uploads_after.front();
      cut_uploads_after.pop_front();
    }
    while (reader->Read(&message)) {
      std::string data = message.chunk().data();
      sent_bytes_ += data.size();
      if (message.chunk().raw_bytes() > 0) {
        ChunkDecompressor decompressor;
        const auto raw = decompressor.Decompress(data, message.chunk().raw_bytes(), ~uint64_t{0});
        if (!raw.ok()) return {grpc::StatusCode::INVALID_ARGUMENT, "no frame"};
        data = std::string(*raw);
      }
      uploaded_ += data.substr(0, bytes_left);
      if (data.size() >= bytes_left) return {grpc::StatusCode::UNAVAILABLE, "the line is cut"};
      bytes_left -= data.size();
    }
    receipt->set_digest(header.digest());
    receipt->set_total_bytes(header.total_bytes());
    return grpc::Status::OK;
  }

 private:
  void NoteTraceparent(const grpc::ServerContext& context) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const auto said = context.client_metadata().find("traceparent");
    traceparents_.push_back(said == context.client_metadata().end()
                                ? ""
                                : std::string(said->second.data(), said->second.size()));
  }

  mutable absl::Mutex mu_;
  std::vector<std::string> traceparents_;
  std::vector<uint64_t> download_offsets_;
  std::vector<uint64_t> upload_offsets_;
  std::string uploaded_;
  uint64_t sent_bytes_ = 0;
};

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_FAKE_TRANSFER_SERVICE_H_
