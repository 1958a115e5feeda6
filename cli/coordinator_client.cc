// SPDX-License-Identifier: Apache-2.0
#include "cli/coordinator_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "common/config/duration_text.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/grpc_words.h"
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

// Whether the call ended because its connection did: gRPC 1.51 calls that UNKNOWN or INTERNAL when
// it happens in the middle of a stream.
bool IsConnectionLoss(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         absl::StrContains(status.message(), "Stream removed") ||
         absl::StrContains(status.message(), "RST_STREAM");
}

// A person waits for it.
constexpr absl::Duration kReconnectMax = absl::Seconds(1);

// Longer than a handshake across the world takes, shorter than patience.
constexpr absl::Duration kProbeTime = absl::Seconds(5);

// How late an interruption may be noticed.
constexpr absl::Duration kInterruptionTick = absl::Milliseconds(100);

}  // namespace

absl::StatusOr<std::unique_ptr<CoordinatorClient>> CoordinatorClient::Create(
    ConnectionTarget target, absl::Duration timeout, Dependencies deps) {
  ENTENTE_RETURN_IF_ERROR(AsInputFileError(CheckTlsFiles(target.tls, deps.clock->Now())));
  return absl::WrapUnique(new CoordinatorClient(std::move(target), timeout, deps));
}

struct CoordinatorClient::Connection {
  Connection(const ConnectionTarget& target, absl::Duration timeout_in, Dependencies deps)
      : timeout(timeout_in),
        clock(*deps.clock),
        interruption(*deps.interruption),
        traceparent(deps.trace.ToTraceparent()),
        channel(DialCoordinator(target.coordinator, target.tls, kReconnectMax)),
        admin(v1::AdminService::NewStub(channel)),
        jobs(v1::JobService::NewStub(channel)),
        models(v1::ModelService::NewStub(channel)),
        members(v1::MemberService::NewStub(channel)),
        transfers(v1::TransferService::NewStub(channel)) {}

  // Calls `method` with the deadline that every plain call has.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(Stub& stub,
                                grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", traceparent);
    context.set_deadline(absl::ToChronoTime(clock.Now() + timeout));
    const auto registration = interruption.OnTrigger([&context] { context.TryCancel(); });
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    return response;
  }

  // Connects again, or not within `limit` or until an interruption, so that the next call need not
  // sit out the channel's own backoff. Waits for it: nobody reads a connection's socket between
  // calls, and a channel that failed once fails every call at once until it is connected.
  void Reconnect(absl::Duration limit) {
    grpc::experimental::ChannelResetConnectionBackoff(channel.get());
    const absl::Time deadline = SteadyClock().Now() + limit;
    while (interruption.Check().ok() && SteadyClock().Now() < deadline) {
      if (channel->WaitForConnected(absl::ToChronoTime(clock.Now() + kInterruptionTick))) return;
    }
  }

  const absl::Duration timeout;
  const Clock& clock;
  Interruption& interruption;
  const std::string traceparent;
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::AdminService::Stub> admin;
  const std::unique_ptr<v1::JobService::Stub> jobs;
  const std::unique_ptr<v1::ModelService::Stub> models;
  const std::unique_ptr<v1::MemberService::Stub> members;
  const std::unique_ptr<v1::TransferService::Stub> transfers;
};

CoordinatorClient::CoordinatorClient(ConnectionTarget target, absl::Duration timeout,
                                     Dependencies deps)
    : target_(std::move(target)),
      timeout_(timeout),
      clock_(*deps.clock),
      interruption_(*deps.interruption),
      connection_(std::make_unique<Connection>(target_, timeout, deps)) {}

CoordinatorClient::~CoordinatorClient() = default;

absl::Status CoordinatorClient::Explain(const absl::Status& plain) const {
  ENTENTE_RETURN_IF_ERROR(interruption_.Check());
  if (plain.code() == absl::StatusCode::kCancelled) {
    // We did not cancel, so the other side went away in the middle.
    return absl::UnavailableError(
        absl::StrCat("the coordinator at ", target_.coordinator, " ended the call"));
  }
  if (plain.code() == absl::StatusCode::kUnimplemented) {
    return absl::FailedPreconditionError(
        absl::StrCat("the coordinator at ", target_.coordinator,
                     " does not know this call; compare \"entente version\" of both sides"));
  }
  if (!IsConnectionLoss(plain)) return plain;
  const absl::Status probe =
      ProbeConnection(target_.coordinator, target_.tls, clock_.Now(), kProbeTime);
  if (probe.code() == absl::StatusCode::kUnauthenticated) return probe;
  const std::string cannot = absl::StrCat("cannot reach the coordinator ", target_.coordinator);
  if (!probe.ok()) return absl::UnavailableError(absl::StrCat(cannot, ": ", probe.message()));
  connection_->Reconnect(kProbeTime);
  if (plain.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::UnavailableError(absl::StrCat("the coordinator ", target_.coordinator,
                                               " is there but did not answer within ",
                                               DurationText(timeout_)));
  }
  if (IsGrpcsOwnSentence(plain.message())) {
    return absl::UnavailableError(absl::StrCat("lost the connection to the coordinator ",
                                               target_.coordinator,
                                               ", which can be reached again"));
  }
  return absl::UnavailableError(absl::StrCat(cannot, ": ", plain.message()));
}

absl::StatusOr<v1::SubmitJobResponse> CoordinatorClient::SubmitJob(
    const v1::SubmitJobRequest& request) {
  return Explained(
      connection_->Call(*connection_->jobs, &v1::JobService::Stub::SubmitJob, request));
}

absl::StatusOr<v1::ListJobsResponse> CoordinatorClient::ListJobs() {
  return Explained(connection_->Call(*connection_->jobs, &v1::JobService::Stub::ListJobs,
                                     v1::ListJobsRequest()));
}

absl::StatusOr<v1::Job> CoordinatorClient::GetJob(const std::string& job_id) {
  v1::GetJobRequest request;
  request.set_job_id(job_id);
  return Explained(connection_->Call(*connection_->jobs, &v1::JobService::Stub::GetJob, request));
}

absl::StatusOr<v1::Job> CoordinatorClient::CancelJob(const std::string& job_id,
                                                     const std::string& reason) {
  v1::CancelJobRequest request;
  request.set_job_id(job_id);
  request.set_reason(reason);
  return Explained(
      connection_->Call(*connection_->jobs, &v1::JobService::Stub::CancelJob, request));
}

absl::StatusOr<v1::Job> CoordinatorClient::PauseJob(const v1::PauseJobRequest& request) {
  return Explained(connection_->Call(*connection_->jobs, &v1::JobService::Stub::PauseJob, request));
}

absl::StatusOr<v1::Job> CoordinatorClient::ResumeJob(const v1::ResumeJobRequest& request) {
  return Explained(
      connection_->Call(*connection_->jobs, &v1::JobService::Stub::ResumeJob, request));
}

absl::StatusOr<v1::ListRoundsResponse> CoordinatorClient::ListRounds(const std::string& job_id) {
  v1::ListRoundsRequest request;
  request.set_job_id(job_id);
  return Explained(
      connection_->Call(*connection_->jobs, &v1::JobService::Stub::ListRounds, request));
}

absl::StatusOr<v1::Round> CoordinatorClient::GetRound(const v1::GetRoundRequest& request) {
  return Explained(connection_->Call(*connection_->jobs, &v1::JobService::Stub::GetRound, request));
}

absl::StatusOr<v1::ListModelsResponse> CoordinatorClient::ListModels(const std::string& job_id) {
  v1::ListModelsRequest request;
  request.set_job_id(job_id);
  return Explained(
      connection_->Call(*connection_->models, &v1::ModelService::Stub::ListModels, request));
}

absl::StatusOr<v1::StoredModel> CoordinatorClient::GetModel(const std::string& digest) {
  v1::GetModelRequest request;
  request.set_digest(digest);
  return Explained(
      connection_->Call(*connection_->models, &v1::ModelService::Stub::GetModel, request));
}

absl::StatusOr<v1::ListMembersResponse> CoordinatorClient::ListMembers() {
  return Explained(connection_->Call(*connection_->members, &v1::MemberService::Stub::ListMembers,
                                     v1::ListMembersRequest()));
}

absl::StatusOr<v1::Member> CoordinatorClient::GetMember(const std::string& member_id) {
  v1::GetMemberRequest request;
  request.set_member_id(member_id);
  return Explained(
      connection_->Call(*connection_->members, &v1::MemberService::Stub::GetMember, request));
}

absl::StatusOr<v1::GetVersionResponse> CoordinatorClient::GetVersion() {
  return Explained(connection_->Call(*connection_->members, &v1::MemberService::Stub::GetVersion,
                                     v1::GetVersionRequest()));
}

absl::StatusOr<Greeting> CoordinatorClient::Greet() {
  // The first call makes the connection, which takes longer than the way.
  ENTENTE_RETURN_IF_ERROR(GetVersion().status());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(clock_.Now() + timeout_));
  const auto registration = interruption_.OnTrigger([&context] { context.TryCancel(); });
  Greeting greeting;
  const absl::Time sent = clock_.Now();
  const grpc::Status status =
      connection_->members->GetVersion(&context, v1::GetVersionRequest(), &greeting.version);
  const absl::Time received = clock_.Now();
  if (!status.ok()) return Explain(FromGrpcStatus(status));
  const auto& metadata = context.GetServerInitialMetadata();
  const auto found = metadata.find(kServerTimeKey);
  if (found == metadata.end()) return greeting;
  const std::optional<absl::Time> told =
      ParseServerTime(absl::string_view(found->second.data(), found->second.size()));
  if (!told) return greeting;
  greeting.uncertainty = (received - sent) / 2;
  greeting.clock_ahead = *told - (sent + greeting.uncertainty);
  return greeting;
}

absl::StatusOr<v1::UploadOffset> CoordinatorClient::GetUploadOffset(
    const v1::UploadHeader& header) {
  return Explained(connection_->Call(*connection_->transfers,
                                     &v1::TransferService::Stub::GetUploadOffset, header));
}

absl::Status CoordinatorClient::WatchJob(const std::string& job_id,
                                         const std::function<void(v1::Job)>& on_job) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", connection_->traceparent);
  const auto registration = interruption_.OnTrigger([&context] { context.TryCancel(); });
  v1::WatchJobRequest request;
  request.set_job_id(job_id);
  const auto reader = connection_->jobs->WatchJob(&context, request);
  for (v1::Job job; reader->Read(&job);) on_job(std::move(job));
  const grpc::Status status = reader->Finish();
  return status.ok() ? absl::OkStatus() : Explain(FromGrpcStatus(status));
}

absl::Status CoordinatorClient::Download(
    const v1::DownloadRequest& request,
    const std::function<absl::Status(const v1::Chunk&)>& on_chunk) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", connection_->traceparent);
  const auto registration = interruption_.OnTrigger([&context] { context.TryCancel(); });
  const auto reader = connection_->transfers->Download(&context, request);
  absl::Status taken;
  for (v1::Chunk chunk; taken.ok() && reader->Read(&chunk);) taken = on_chunk(chunk);
  if (!taken.ok()) context.TryCancel();
  const grpc::Status status = reader->Finish();
  ENTENTE_RETURN_IF_ERROR(taken);
  return status.ok() ? absl::OkStatus() : Explain(FromGrpcStatus(status));
}

absl::Status CoordinatorClient::Backup(
    const v1::BackupRequest& request,
    const std::function<absl::Status(const v1::BackupMessage&)>& on_message) {
  grpc::ClientContext context;
  const auto registration = interruption_.OnTrigger([&context] { context.TryCancel(); });
  const auto reader = connection_->admin->Backup(&context, request);
  absl::Status taken;
  for (v1::BackupMessage message; taken.ok() && reader->Read(&message);) {
    taken = on_message(message);
  }
  if (!taken.ok()) context.TryCancel();
  const grpc::Status status = reader->Finish();
  ENTENTE_RETURN_IF_ERROR(taken);
  return status.ok() ? absl::OkStatus() : Explain(FromGrpcStatus(status));
}

absl::StatusOr<v1::UploadReceipt> CoordinatorClient::Upload(
    const v1::UploadHeader& header,
    const std::function<absl::StatusOr<bool>(v1::Chunk*)>& next_chunk) {
  grpc::ClientContext context;
  context.AddMetadata("traceparent", connection_->traceparent);
  const auto registration = interruption_.OnTrigger([&context] { context.TryCancel(); });
  v1::UploadReceipt receipt;
  const auto writer = connection_->transfers->Upload(&context, &receipt);
  v1::UploadMessage message;
  *message.mutable_header() = header;
  bool sent = writer->Write(message);
  absl::StatusOr<bool> more = true;
  while (sent) {
    more = next_chunk(message.mutable_chunk());
    if (!more.ok() || !*more) break;
    sent = writer->Write(message);
  }
  if (!more.ok()) context.TryCancel();
  writer->WritesDone();
  const grpc::Status status = writer->Finish();
  ENTENTE_RETURN_IF_ERROR(more.status());
  if (!status.ok()) return Explain(FromGrpcStatus(status));
  return receipt;
}

}  // namespace entente::cli
