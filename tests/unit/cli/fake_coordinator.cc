// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/cli/fake_coordinator.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/crypto/sha256.h"
#include "common/identity/certificate.h"
#include "common/rpc/server_time.h"
#include "common/rpc/status_conversion.h"
#include "common/rpc/tls_credentials.h"
#include "entente/v1/admin_service.grpc.pb.h"
#include "entente/v1/job_service.grpc.pb.h"
#include "entente/v1/member_service.grpc.pb.h"
#include "entente/v1/model_service.grpc.pb.h"
#include "entente/v1/transfer_service.grpc.pb.h"

namespace entente::cli {
namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;

Status NotFound(const std::string& what) { return {StatusCode::NOT_FOUND, "there is no " + what}; }

class FakeJobs final : public v1::JobService::Service {
 public:
  explicit FakeJobs(FakeState* state) : state_(*state) {}

  Status SubmitJob(ServerContext* call, const v1::SubmitJobRequest* request,
                   v1::SubmitJobResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    if (!state_.refuse_all.ok()) return ToGrpcStatus(state_.refuse_all);
    if (state_.blobs.count(request->initial_model_digest()) == 0) {
      return NotFound("file " + request->initial_model_digest());
    }
    state_.submissions.push_back(*request);
    const auto trace = call->client_metadata().find("traceparent");
    if (trace != call->client_metadata().end()) {
      state_.traceparents.emplace_back(trace->second.data(), trace->second.size());
    }
    std::string& job_id = state_.job_of_token[request->token()];
    response->set_created(job_id.empty() || request->token().empty());
    if (response->created()) {
      job_id = absl::StrCat(request->recipe().name(), "-", state_.submissions.size());
    }
    response->mutable_job()->set_id(job_id);
    response->mutable_job()->set_state(v1::JOB_STATE_RUNNING);
    response->mutable_job()->set_trace_id("4bf92f3577b34da6a3ce929d0e0e4736");
    return Status::OK;
  }

  Status ListJobs(ServerContext*, const v1::ListJobsRequest*,
                  v1::ListJobsResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    if (!state_.refuse_all.ok()) return ToGrpcStatus(state_.refuse_all);
    for (const v1::Job& job : state_.jobs) *response->add_jobs() = job;
    return Status::OK;
  }

  Status GetJob(ServerContext*, const v1::GetJobRequest* request, v1::Job* response) override {
    absl::MutexLock lock(&state_.mu);
    return Find(request->job_id(), response);
  }

  Status CancelJob(ServerContext*, const v1::CancelJobRequest* request,
                   v1::Job* response) override {
    absl::MutexLock lock(&state_.mu);
    const Status found = Find(request->job_id(), response);
    if (!found.ok()) return found;
    if (response->state() != v1::JOB_STATE_RUNNING) {
      return {StatusCode::FAILED_PRECONDITION, "job " + response->id() + " has ended already"};
    }
    response->set_state(v1::JOB_STATE_CANCELLED);
    response->set_reason(request->reason());
    return Status::OK;
  }

  Status PauseJob(ServerContext*, const v1::PauseJobRequest* request, v1::Job* response) override {
    absl::MutexLock lock(&state_.mu);
    const Status found = FindUnended(request->job_id(), response);
    if (!found.ok()) return found;
    v1::Round& round = *response->mutable_round();
    // A round that combines its updates is finished all the same.
    const bool breaks_off = request->now() && (round.phase() == v1::ROUND_PHASE_COLLECTING ||
                                               round.phase() == v1::ROUND_PHASE_GRACE);
    // A job that is paused already keeps its first reason.
    if (response->state() != v1::JOB_STATE_PAUSED || breaks_off) {
      response->set_reason(request->reason());
    }
    response->set_state(v1::JOB_STATE_PAUSED);
    if (breaks_off) {
      round.set_phase(v1::ROUND_PHASE_PLANNED);
      round.set_attempt(round.attempt() + 1);
    }
    return Status::OK;
  }

  Status ResumeJob(ServerContext*, const v1::ResumeJobRequest* request,
                   v1::Job* response) override {
    absl::MutexLock lock(&state_.mu);
    const Status found = FindUnended(request->job_id(), response);
    if (found.ok()) response->set_state(v1::JOB_STATE_RUNNING);
    return found;
  }

  Status WatchJob(ServerContext*, const v1::WatchJobRequest* request,
                  grpc::ServerWriter<v1::Job>* writer) override {
    std::vector<v1::Job> jobs;
    {
      absl::MutexLock lock(&state_.mu);
      if (state_.watch_streams.empty()) return NotFound("job " + request->job_id());
      jobs = state_.watch_streams.front();
      if (state_.watch_streams.size() > 1) state_.watch_streams.erase(state_.watch_streams.begin());
    }
    if (!jobs.empty() && jobs.back().state() == v1::JOB_STATE_UNSPECIFIED) {
      return {StatusCode::UNAUTHENTICATED, "the coordinator hung up on seeing our certificate"};
    }
    for (const v1::Job& job : jobs) writer->Write(job);
    if (jobs.empty() || jobs.back().state() == v1::JOB_STATE_RUNNING) {
      return {StatusCode::UNAVAILABLE, "the coordinator stops"};
    }
    return Status::OK;
  }

  Status ListRounds(ServerContext*, const v1::ListRoundsRequest*,
                    v1::ListRoundsResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::Round& round : state_.rounds) *response->add_rounds() = round;
    return Status::OK;
  }

  Status GetRound(ServerContext*, const v1::GetRoundRequest* request,
                  v1::Round* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::Round& round : state_.rounds) {
      if (round.round_index() == request->round_index()) *response = round;
    }
    if (response->attempt() == 0) return NotFound("such round");
    return Status::OK;
  }

 private:
  Status FindUnended(const std::string& job_id, v1::Job* found)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.mu) {
    const Status status = Find(job_id, found);
    if (!status.ok()) return status;
    if (found->state() == v1::JOB_STATE_RUNNING || found->state() == v1::JOB_STATE_PAUSED) {
      return Status::OK;
    }
    return {StatusCode::FAILED_PRECONDITION, "job " + job_id + " has ended already"};
  }

  Status Find(const std::string& job_id, v1::Job* found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.mu) {
    if (!state_.refuse_all.ok()) return ToGrpcStatus(state_.refuse_all);
    for (const v1::Job& job : state_.jobs) {
      if (job.id() != job_id) continue;
      *found = job;
      return Status::OK;
    }
    return NotFound("job " + job_id);
  }

  FakeState& state_;
};

class FakeModels final : public v1::ModelService::Service {
 public:
  explicit FakeModels(FakeState* state) : state_(*state) {}

  Status ListModels(ServerContext*, const v1::ListModelsRequest* request,
                    v1::ListModelsResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::StoredModel& model : state_.models) {
      if (request->job_id().empty() || request->job_id() == model.job_id()) {
        *response->add_models() = model;
      }
    }
    return Status::OK;
  }

  Status GetModel(ServerContext*, const v1::GetModelRequest* request,
                  v1::StoredModel* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::StoredModel& model : state_.models) {
      if (!absl::StartsWith(model.digest(), request->digest())) continue;
      *response = model;
      return Status::OK;
    }
    return NotFound("model " + request->digest());
  }

 private:
  FakeState& state_;
};

class FakeMembers final : public v1::MemberService::Service {
 public:
  explicit FakeMembers(FakeState* state) : state_(*state) {}

  Status ListMembers(ServerContext*, const v1::ListMembersRequest*,
                     v1::ListMembersResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::Member& member : state_.members) *response->add_members() = member;
    return Status::OK;
  }

  Status GetMember(ServerContext*, const v1::GetMemberRequest* request,
                   v1::Member* response) override {
    absl::MutexLock lock(&state_.mu);
    for (const v1::Member& member : state_.members) {
      if (member.id() != request->member_id()) continue;
      *response = member;
      return Status::OK;
    }
    return NotFound("member " + request->member_id());
  }

  Status GetVersion(ServerContext* context, const v1::GetVersionRequest*,
                    v1::GetVersionResponse* response) override {
    absl::MutexLock lock(&state_.mu);
    *response = state_.version;
    if (state_.clock_ahead) {
      context->AddInitialMetadata(kServerTimeKey,
                                  FormatServerTime(SystemClock().Now() + *state_.clock_ahead));
    }
    return Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeTransfers final : public v1::TransferService::Service {
 public:
  explicit FakeTransfers(FakeState* state) : state_(*state) {}

  Status GetUploadOffset(ServerContext*, const v1::UploadHeader* request,
                         v1::UploadOffset* response) override {
    absl::MutexLock lock(&state_.mu);
    const auto whole = state_.blobs.find(request->digest());
    response->set_offset(whole != state_.blobs.end() ? whole->second.size()
                                                     : state_.partial[request->digest()].size());
    return Status::OK;
  }

  Status Upload(ServerContext*, grpc::ServerReader<v1::UploadMessage>* reader,
                v1::UploadReceipt* receipt) override {
    v1::UploadMessage message;
    if (!reader->Read(&message)) return {StatusCode::INVALID_ARGUMENT, "no header"};
    const v1::UploadHeader header = message.header();
    {
      absl::MutexLock lock(&state_.mu);
      if (state_.refuse_uploads > 0) {
        --state_.refuse_uploads;
        return {StatusCode::RESOURCE_EXHAUSTED, "256 transfers go on; try again"};
      }
      state_.upload_offsets.push_back(state_.partial[header.digest()].size());
    }
    while (reader->Read(&message)) {
      absl::MutexLock lock(&state_.mu);
      std::string& bytes = state_.partial[header.digest()];
      if (message.chunk().offset() != bytes.size()) return {StatusCode::OUT_OF_RANGE, "offset"};
      if (state_.break_next_transfer_after >= 0) {
        bytes += message.chunk().data().substr(
            0, static_cast<size_t>(std::exchange(state_.break_next_transfer_after, -1)));
        return {StatusCode::UNAVAILABLE, "the link broke"};
      }
      bytes += message.chunk().data();
    }
    absl::MutexLock lock(&state_.mu);
    std::string& kept = state_.blobs[header.digest()];
    if (kept.empty()) kept = std::exchange(state_.partial[header.digest()], "");
    receipt->set_digest(Sha256Of(kept).ToHex());
    receipt->set_total_bytes(kept.size());
    if (receipt->digest() != header.digest()) return {StatusCode::DATA_LOSS, "other digest"};
    return Status::OK;
  }

  Status Download(ServerContext*, const v1::DownloadRequest* request,
                  grpc::ServerWriter<v1::Chunk>* writer) override {
    std::string bytes;
    int64_t break_after = -1;
    {
      absl::MutexLock lock(&state_.mu);
      const auto blob = state_.blobs.find(request->digest());
      if (blob == state_.blobs.end()) return NotFound("file " + request->digest());
      bytes = blob->second;
      break_after = std::exchange(state_.break_next_transfer_after, -1);
      state_.download_offsets.push_back(request->offset());
    }
    const std::string rest = bytes.substr(request->offset());
    v1::Chunk chunk;
    chunk.set_offset(request->offset());
    chunk.set_total_bytes(bytes.size());
    chunk.set_data(break_after < 0 ? rest : rest.substr(0, static_cast<size_t>(break_after)));
    writer->Write(chunk);
    if (break_after >= 0) return {StatusCode::UNAVAILABLE, "the link broke"};
    return Status::OK;
  }

 private:
  FakeState& state_;
};

class FakeAdmin final : public v1::AdminService::Service {
 public:
  explicit FakeAdmin(FakeState* state) : state_(*state) {}

  Status Backup(ServerContext*, const v1::BackupRequest* request,
                grpc::ServerWriter<v1::BackupMessage>* writer) override {
    absl::MutexLock lock(&state_.mu);
    if (!state_.refuse_all.ok()) return ToGrpcStatus(state_.refuse_all);
    state_.backup_requests.push_back(*request);
    for (const v1::BackupMessage& message : state_.backup) writer->Write(message);
    return Status::OK;
  }

 private:
  FakeState& state_;
};

std::string WriteIdentity(const TempFolder& folder, const std::string& name,
                          const CertificateAndKey& identity) {
  folder.Write(name + ".crt", identity.certificate_pem);
  ENTENTE_CHECK(WritePrivateKey(folder.File(name + ".key"), identity.private_key_pem).ok());
  return folder.File(name);
}

}  // namespace

// gRPC's part; the services outlive the server.
struct FakeCoordinator::Server {
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
};

FakeCoordinator::FakeCoordinator(const TempFolder& folder) {
  const absl::Time now = SystemClock().Now();
  const CertificateAndKey authority = CreateAuthority({.trust_domain = "alliance.example",
                                                       .display_name = "Alliance",
                                                       .validity = absl::Hours(2)},
                                                      now)
                                          .value();
  const auto issue = [&](const std::string& role, const std::string& name) {
    return IssueCertificate(
               authority,
               {.spiffe_id = absl::StrCat("spiffe://alliance.example/", role, "/", name),
                .dns_names = {},
                .ip_addresses = {"127.0.0.1"},
                .validity = absl::Hours(1)},
               now)
        .value();
  };
  const std::string ca = WriteIdentity(folder, "tls/authority", authority);
  const std::string server = WriteIdentity(folder, "tls/server", issue("coordinator", "main"));
  const std::string client = WriteIdentity(folder, "tls/client", issue("submitter", "someone"));
  client_tls_ = {client + ".crt", client + ".key", ca + ".crt"};
  const std::string worker = WriteIdentity(folder, "tls/worker", issue("worker", "gpu-1"));
  worker_tls_ = {worker + ".crt", worker + ".key", ca + ".crt"};

  server_ = std::make_unique<Server>();
  auto& services = server_->services;
  services.push_back(std::make_unique<FakeAdmin>(&state_));
  services.push_back(std::make_unique<FakeJobs>(&state_));
  services.push_back(std::make_unique<FakeModels>(&state_));
  services.push_back(std::make_unique<FakeMembers>(&state_));
  services.push_back(std::make_unique<FakeTransfers>(&state_));
  server_tls_ = {server + ".crt", server + ".key", ca + ".crt"};
  Listen("127.0.0.1:0");
}

void FakeCoordinator::Listen(const std::string& at) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(at, ServerTls(server_tls_), &port);
  for (const auto& service : server_->services) builder.RegisterService(service.get());
  server_->server = builder.BuildAndStart();
  ENTENTE_CHECK(server_->server != nullptr && port != 0);
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeCoordinator::~FakeCoordinator() { Stop(); }

void FakeCoordinator::Stop() { server_->server->Shutdown(std::chrono::system_clock::now()); }

void FakeCoordinator::Start() { Listen(address_); }

std::vector<std::string> FakeCoordinator::Arguments(std::vector<std::string> words) const {
  words.insert(words.end(),
               {"--coordinator", address_, "--certificate", client_tls_.certificate,
                "--private-key", client_tls_.private_key, "--authority", client_tls_.authority});
  return words;
}

}  // namespace entente::cli
