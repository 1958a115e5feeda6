// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/transfer_service.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/base/executor.h"
#include "common/transfer/chunk_compression.h"
#include "coordinator/updates/space_ledger.h"
#include "coordinator/updates/update_spool.h"
#include "tests/support/eventually.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TransferServiceTest : public ServiceTest {
 protected:
  // One sender may have all the places there are.
  TransferServiceTest()
      : ServiceTest({.transfers_per_caller_max = 256}),
        worker_(AttachWorker("fr-lab/w")),
        job_(Submit(RecipeOf(1, 1))),
        task_(worker_->WaitForTask(0)) {}

  v1::DownloadRequest BaseModel() const {
    v1::DownloadRequest request;
    request.set_digest(task_.model_digest());
    request.set_job_id(task_.key().job_id());
    return request;
  }

  const std::shared_ptr<engine::RecordingConnection> worker_;
  const std::shared_ptr<engine::JobEngine> job_;
  const v1::Task task_;
};

TEST_F(TransferServiceTest, WorkerDownloadsItsBaseModelAndTheBytesAreCounted) {
  std::string bytes;

  ASSERT_TRUE(Download(AsWorker(), BaseModel(), &bytes).ok());

  EXPECT_EQ(Sha256Of(bytes).ToHex(), task_.model_digest());
  EXPECT_EQ(job_->View().bytes_down, bytes.size());
}

TEST_F(TransferServiceTest, DownloadContinuesAtAnOffset) {
  std::string whole;
  ASSERT_TRUE(Download(AsWorker(), BaseModel(), &whole).ok());
  v1::DownloadRequest request = BaseModel();
  request.set_offset(whole.size() - 3);
  std::string rest;

  ASSERT_TRUE(Download(AsWorker(), request, &rest).ok());
  EXPECT_EQ(rest, whole.substr(whole.size() - 3));
  request.set_offset(whole.size() + 1);
  EXPECT_EQ(Download(AsWorker(), request, &rest).error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(TransferServiceTest, WorkerOutsideTheCohortGetsNoModel) {
  std::string bytes;

  const grpc::Status status = Download(ChannelAs("kr-lab.example", "worker"), BaseModel(), &bytes);

  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_TRUE(bytes.empty());
}

TEST_F(TransferServiceTest, UploadedUpdateIsAcceptedAndCountedForItsWorker) {
  const std::string bytes = UpdateBytes(1, 1);

  const grpc::Status status = Upload(AsWorker(), UploadHeaderOf(task_, bytes), bytes);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(WaitForEnd(*job_).state->status, jobs::JobStatus::kCompleted);
  EXPECT_EQ(workers_->Snapshot()[0].bytes_up, bytes.size());
}

TEST_F(TransferServiceTest, TruncatedUploadSaysSoAndTheOffsetIsKnown) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);

  const grpc::Status cut = Upload(AsWorker(), header, bytes.substr(0, 11));
  v1::UploadOffset offset;
  ASSERT_TRUE(v1::TransferService::NewStub(AsWorker())
                  ->GetUploadOffset(Context().get(), header, &offset)
                  .ok());

  EXPECT_EQ(cut.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(offset.offset(), 11U);
}

// Keeps all of a pool's threads busy for as long as it lives.
class BusyThreads {
 public:
  BusyThreads(Executor& pool, int thread_count) {
    for (int i = 0; i < thread_count; ++i) {
      pool.Post([release = release_] { release->WaitForNotification(); });
    }
  }
  ~BusyThreads() { release_->Notify(); }

 private:
  // Shared with the tasks, which end after this has.
  const std::shared_ptr<absl::Notification> release_ = std::make_shared<absl::Notification>();
};

TEST_F(TransferServiceTest, TransfersDoNotWaitForTheJobsThreads) {
  const BusyThreads busy(*executor_, /*thread_count=*/2);
  std::string bytes;

  EXPECT_TRUE(Download(AsWorker(), BaseModel(), &bytes).ok());
}

TEST_F(TransferServiceTest, JobsAndQuestionsDoNotWaitForTheTransfersThreads) {
  const BusyThreads busy(transfer_executor_, kTransferThreads);
  v1::UploadOffset offset;

  EXPECT_TRUE(
      v1::TransferService::NewStub(AsWorker())
          ->GetUploadOffset(Context().get(), UploadHeaderOf(task_, UpdateBytes(1, 1)), &offset)
          .ok());
  job_->Cancel("enough", [](const absl::Status&) {});
  EXPECT_EQ(WaitForEnd(*job_).state->status, jobs::JobStatus::kCancelled);
}

TEST_F(TransferServiceTest, OverlongUploadIsRefused) {
  const std::string bytes = UpdateBytes(1, 1);

  EXPECT_EQ(Upload(AsWorker(), UploadHeaderOf(task_, bytes), bytes + "more").error_code(),
            grpc::StatusCode::OUT_OF_RANGE);
}

// What a peer sends as chunks: offset and data.
using Chunks = std::vector<std::pair<uint64_t, std::string>>;

grpc::Status SendChunks(const std::shared_ptr<grpc::Channel>& channel,
                        const v1::UploadHeader& header, const Chunks& chunks) {
  grpc::ClientContext context;
  v1::UploadReceipt receipt;
  const auto stub = v1::TransferService::NewStub(channel);
  const auto writer = stub->Upload(&context, &receipt);
  v1::UploadMessage message;
  *message.mutable_header() = header;
  writer->Write(message);
  for (const auto& [offset, data] : chunks) {
    message.mutable_chunk()->set_offset(offset);
    message.mutable_chunk()->set_data(data);
    writer->Write(message);
  }
  writer->WritesDone();
  return writer->Finish();
}

// The job's recipe says zstd.
class CompressedTransferTest : public ServiceTest {
 protected:
  CompressedTransferTest() : worker_(AttachWorker("fr-lab/w")) {
    const std::string path = models_->TemporaryPath("zeros");
    EXPECT_THAT(WriteTextFile(files_, path, zeros_), IsOk());
    v1::Recipe recipe = RecipeOf(1, 1);
    recipe.mutable_updates()->set_compression(v1::Updates::COMPRESSION_ZSTD);
    job_ = jobs_
               ->Submit({.recipe = recipe,
                         .submitter = "spiffe://alliance.example/submitter/s",
                         .token = "",
                         .initial_model = *models_->Adopt(path)})
               ->job;
    task_ = worker_->WaitForTask(0);
  }

  // Sends one chunk.
  grpc::Status Send(const v1::UploadHeader& header, const v1::Chunk& chunk) {
    grpc::ClientContext context;
    v1::UploadReceipt receipt;
    const auto stub = v1::TransferService::NewStub(AsWorker());
    const auto writer = stub->Upload(&context, &receipt);
    v1::UploadMessage message;
    *message.mutable_header() = header;
    writer->Write(message);
    *message.mutable_chunk() = chunk;
    writer->Write(message);
    writer->WritesDone();
    return writer->Finish();
  }

  // A model, and an update of it.
  const std::string zeros_ =
      SafetensorsHeader(*Layout::Create({{"w", Dtype::kF32, {1000}}})) + std::string(4000, '\0');
  const std::shared_ptr<engine::RecordingConnection> worker_;
  std::shared_ptr<engine::JobEngine> job_;
  v1::Task task_;
};

TEST_F(CompressedTransferTest, CompressedUpdateIsAcceptedAndCountedAsItTravelled) {
  v1::Chunk chunk;
  chunk.set_data(zeros_);
  ASSERT_TRUE(ChunkCompressor().Compress(chunk.mutable_data()));
  chunk.set_raw_bytes(static_cast<uint32_t>(zeros_.size()));

  const grpc::Status status = Send(UploadHeaderOf(task_, zeros_), chunk);

  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(WaitForEnd(*job_).bytes_up, chunk.data().size());
  EXPECT_EQ(workers_->Snapshot()[0].bytes_up, chunk.data().size());
}

TEST_F(CompressedTransferTest, HostileFramesAreRefusedAndTheUpdateCanStillCome) {
  std::string large(1 << 20, '\0');
  ASSERT_TRUE(ChunkCompressor().Compress(&large));
  v1::Chunk chunk;
  for (const auto& [data, raw_bytes] : std::vector<std::pair<std::string, uint32_t>>{
           {"no frame", 8}, {large, 1 << 20}, {large, 8}, {large, ~uint32_t{0}}, {"", 1}}) {
    chunk.set_data(data);
    chunk.set_raw_bytes(raw_bytes);

    const grpc::Status status = Send(UploadHeaderOf(task_, zeros_), chunk);

    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << raw_bytes;
    EXPECT_THAT(status.error_message(), HasSubstr("a compressed chunk"));
  }
  EXPECT_TRUE(Upload(AsWorker(), UploadHeaderOf(task_, zeros_), zeros_).ok());
}

TEST_F(CompressedTransferTest, ModelIsCompressedForWhoReadsIt) {
  v1::DownloadRequest request;
  request.set_digest(task_.model_digest());
  request.set_job_id(task_.key().job_id());
  std::string plain;
  ASSERT_TRUE(Download(AsWorker(), request, &plain).ok());
  EXPECT_EQ(plain, zeros_);
  request.set_reads_zstd(true);
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto context = Context();
  const auto reader = stub->Download(context.get(), request);
  v1::Chunk chunk;

  ASSERT_TRUE(reader->Read(&chunk));

  ChunkDecompressor decompressor;
  ASSERT_OK_AND_ASSIGN(const absl::string_view raw,
                       decompressor.Decompress(chunk.data(), chunk.raw_bytes(), plain.size()));
  EXPECT_EQ(raw, plain);
  EXPECT_EQ(chunk.total_bytes(), plain.size());
  EXPECT_FALSE(reader->Read(&chunk));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_LT(job_->View().bytes_down, plain.size() + 500);
}

TEST_F(TransferServiceTest, ModelOfAJobWithoutCompressionTravelsAsItIs) {
  v1::DownloadRequest request = BaseModel();
  request.set_reads_zstd(true);
  std::string bytes;

  ASSERT_TRUE(Download(AsWorker(), request, &bytes).ok());

  EXPECT_EQ(Sha256Of(bytes).ToHex(), task_.model_digest());
}

TEST_F(TransferServiceTest, ChunksThatDoNotFollowOneAnotherAreRefusedAndNothingIsLost) {
  const std::string bytes = UpdateBytes(1, 1);
  const v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  const std::string a = bytes.substr(0, 10);
  const std::string b = bytes.substr(10, 10);
  const std::map<std::string, Chunks> cases = {
      {"reordered", {{10, b}, {0, a}}},
      {"duplicated", {{0, a}, {0, a}}},
      {"overlapping", {{0, a}, {5, b}}},
      {"beyond the end", {{bytes.size() + 1, a}}},
      {"near 2^64", {{~uint64_t{0}, a}}},
      {"at 2^63", {{uint64_t{1} << 63, a}}},
      {"overlong", {{0, bytes}, {bytes.size(), "x"}}},
  };
  const auto channel = AsWorker();
  for (const auto& [name, chunks] : cases) {
    const grpc::Status status = SendChunks(channel, header, chunks);

    EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << name;
    EXPECT_FALSE(status.error_message().empty()) << name;
    EXPECT_EQ(spool_->space().promised_bytes(), 0U) << name;
  }
  v1::UploadOffset offset;
  ASSERT_TRUE(v1::TransferService::NewStub(channel)
                  ->GetUploadOffset(Context().get(), header, &offset)
                  .ok());
  const grpc::Status rest =
      SendChunks(channel, header, {{offset.offset(), bytes.substr(offset.offset())}});
  EXPECT_TRUE(rest.ok()) << rest.error_message();
}

TEST_F(TransferServiceTest, ChunksWithoutBytesDoNotHoldAPlace) {
  const std::string bytes = UpdateBytes(1, 1);
  const grpc::Status status =
      SendChunks(AsWorker(), UploadHeaderOf(task_, bytes), {{0, bytes.substr(0, 10)}, {10, ""}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "a chunk has at least one byte");
}

TEST_F(TransferServiceTest, WrongDigestIsDataLossAndTheUpdateMayComeAgain) {
  const std::string bytes = UpdateBytes(1, 1);
  v1::UploadHeader header = UploadHeaderOf(task_, bytes);
  header.set_digest(Sha256Of("other").ToHex());

  EXPECT_EQ(Upload(AsWorker(), header, bytes).error_code(), grpc::StatusCode::DATA_LOSS);

  EXPECT_EQ(spool_->space().present_bytes(), 0U);
  EXPECT_TRUE(Upload(AsWorker(), UploadHeaderOf(task_, bytes), bytes).ok());
}

class DeclaredSizeTest : public TransferServiceTest,
                         public testing::WithParamInterface<uint64_t> {};

TEST_P(DeclaredSizeTest, AbsurdSizeIsRefusedBeforeAnythingIsStored) {
  v1::UploadHeader update = UploadHeaderOf(task_, UpdateBytes(1, 1));
  update.set_total_bytes(GetParam());
  v1::UploadHeader model;
  model.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  model.set_digest(Sha256Of("model").ToHex());
  model.set_total_bytes(GetParam());
  const size_t files_before = files_.ListFiles(folder_.File("models"))->size();

  const grpc::Status of_update = SendChunks(AsWorker(), update, {{0, "x"}});
  const grpc::Status of_model = SendChunks(AsSubmitter(), model, {{0, "x"}});

  EXPECT_EQ(of_update.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(of_model.error_code(), GetParam() == 0 ? grpc::StatusCode::INVALID_ARGUMENT
                                                   : grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(of_update.error_message(), HasSubstr(std::to_string(GetParam())));
  EXPECT_EQ(spool_->space().present_bytes() + spool_->space().promised_bytes(), 0U);
  EXPECT_EQ(files_.ListFiles(folder_.File("models"))->size(), files_before);
}

INSTANTIATE_TEST_SUITE_P(Sizes, DeclaredSizeTest,
                         testing::Values(0, ~uint64_t{0}, uint64_t{1} << 63));

// As many places as there are uploads, so that it is the disk that sets their limit. No job runs,
// so nothing else is written.
class ThousandUploadsTest : public ServiceTest {
 protected:
  static constexpr int kUploads = 1000;
  static constexpr size_t kFitting = 100;

  ThousandUploadsTest()
      : ServiceTest({.transfers_max = kUploads, .transfers_per_caller_max = kUploads}) {}

  static v1::UploadHeader ModelHeaderOf(const std::string& bytes) {
    v1::UploadHeader header;
    header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
    header.set_digest(Sha256Of(bytes).ToHex());
    header.set_total_bytes(bytes.size());
    return header;
  }
};

TEST_F(ThousandUploadsTest, AllGetAnAnswerAndAsManyAsTheDiskHoldsAreTaken) {
  const uint64_t size = UpdateBytes(0, 0).size();
  const updates::SpaceLedger& space = spool_->space();
  files_.bytes_left = static_cast<int64_t>(kFitting * size);
  struct Sender {
    std::unique_ptr<grpc::ClientContext> context;
    v1::UploadReceipt receipt;
    std::unique_ptr<grpc::ClientWriter<v1::UploadMessage>> writer;
  };
  const auto stub = v1::TransferService::NewStub(AsSubmitter());
  std::vector<std::unique_ptr<Sender>> senders;
  std::vector<std::string> contents;
  for (int i = 0; i < kUploads; ++i) {
    contents.push_back(UpdateBytes(static_cast<float>(i + 10), 0));
    v1::UploadMessage message;
    *message.mutable_header() = ModelHeaderOf(contents.back());
    senders.push_back(std::make_unique<Sender>());
    Sender& sender = *senders.back();
    sender.context = Context();
    sender.writer = stub->Upload(sender.context.get(), &sender.receipt);
    sender.writer->Write(message);
  }
  // Before a byte has come, all the room there is has been promised.
  EXPECT_TRUE(Eventually([&] { return space.part_count() >= kFitting; }));
  for (int i = 0; i < kUploads; ++i) {
    v1::UploadMessage message;
    message.mutable_chunk()->set_data(contents[i]);
    senders[i]->writer->Write(message);
    senders[i]->writer->WritesDone();
  }
  size_t taken = 0;
  for (const auto& sender : senders) {
    const grpc::Status status = sender->writer->Finish();
    if (status.ok()) {
      ++taken;
      continue;
    }
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(status.error_message(),
                AllOf(HasSubstr(absl::StrCat("now: ", size, " bytes are needed")),
                      HasSubstr(" are promised to uploads under way; "),
                      HasSubstr(" are free on the disk and 0 must stay free")));
  }

  // One that was being measured while the first bytes came may have been put off.
  EXPECT_GE(taken, kFitting - 10);
  EXPECT_LE(taken, kFitting);
  EXPECT_EQ(files_.ListFiles(folder_.File("models"))->size(), taken);
  EXPECT_THAT(PartsLeft(), IsEmpty());
  EXPECT_EQ(space.promised_bytes(), 0U);
  EXPECT_EQ(space.part_count(), 0U);
  EXPECT_EQ(space.part_bytes(), 0U);
  // Room for one more is room for one more: nothing stays promised to those that ended.
  files_.bytes_left = static_cast<int64_t>(size);
  const std::string more = UpdateBytes(1, 0);
  const grpc::Status status = Upload(AsSubmitter(), ModelHeaderOf(more), more);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(TransferServiceTest, RefusedUpdateLeavesNothing) {
  // Else the end of its round would take away what is left.
  const updates::SpoolHold hold(spool_.get());
  const std::string bytes = UpdateBytes(std::nanf(""), 1);

  EXPECT_EQ(Upload(AsWorker(), UploadHeaderOf(task_, bytes), bytes).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);

  EXPECT_THAT(PartsLeft(), IsEmpty());
  EXPECT_EQ(spool_->space().present_bytes(), 0U);
  EXPECT_EQ(spool_->space().promised_bytes(), 0U);
}

TEST_F(TransferServiceTest, BlobThatIsNotWhatItSaysLeavesNothing) {
  const std::string bytes = "no model at all";
  v1::UploadHeader header;
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  const size_t files_before = files_.ListFiles(folder_.File("models"))->size();
  for (const auto content :
       {v1::BlobDescription::CONTENT_MODEL, v1::BlobDescription::CONTENT_TORCHSCRIPT}) {
    header.mutable_blob()->set_content(content);

    EXPECT_EQ(Upload(AsSubmitter(), header, bytes).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);

    EXPECT_EQ(files_.ListFiles(folder_.File("models"))->size(), files_before);
    EXPECT_EQ(spool_->space().part_count(), 0U);
    EXPECT_EQ(spool_->space().part_bytes(), 0U);
  }
}

TEST_F(TransferServiceTest, SubmitterUploadsAModelAndPullsItBack) {
  const std::string bytes = UpdateBytes(3, 4);
  v1::UploadHeader header;
  header.mutable_blob()->set_content(v1::BlobDescription::CONTENT_MODEL);
  header.set_digest(Sha256Of(bytes).ToHex());
  header.set_total_bytes(bytes.size());
  v1::DownloadRequest request;
  request.set_digest(header.digest());
  std::string back;

  ASSERT_TRUE(Upload(AsSubmitter(), header, bytes).ok());
  ASSERT_TRUE(Download(AsSubmitter(), request, &back).ok());

  EXPECT_EQ(back, bytes);
  EXPECT_EQ(Upload(AsWorker(), header, bytes).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(TransferServiceTest, UploadWithoutAHeaderIsRefused) {
  const auto context = Context();
  v1::UploadReceipt receipt;
  const auto stub = v1::TransferService::NewStub(AsWorker());
  const auto writer = stub->Upload(context.get(), &receipt);
  v1::UploadMessage message;
  message.mutable_chunk()->set_data("x");
  writer->Write(message);
  writer->WritesDone();

  const grpc::Status status = writer->Finish();

  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("must begin with a header"));
}

TEST_F(TransferServiceTest, ChunkLargerThanTheLimitIsRefused) {
  const std::string bytes(6 << 20, 'x');

  EXPECT_EQ(Upload(AsWorker(), UploadHeaderOf(task_, UpdateBytes(1, 1)), bytes).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace entente::service
