// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/job_service.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/recipe/recipe.h"
#include "coordinator/service/call_trace.h"
#include "coordinator/service/job_converter.h"
#include "coordinator/service/unary_call.h"
#include "coordinator/service/watch_reactor.h"

namespace entente::service {

using members::Action;

grpc::ServerUnaryReactor* JobService::SubmitJob(grpc::CallbackServerContext* call,
                                                const v1::SubmitJobRequest* request,
                                                v1::SubmitJobResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity caller,
                             context_.callers->Admit(*call, Action::kSubmitJob));
    absl::Status status = Submit(caller, TraceOfCall(*call), *request, response);
    if (!status.ok()) context_.callers->LogRefusal(*call, caller, status);
    return status;
  });
}

absl::Status JobService::Submit(const PeerIdentity& caller, std::optional<TraceContext> trace,
                                const v1::SubmitJobRequest& request,
                                v1::SubmitJobResponse* response) {
  engine::SubmitRequest submit{.recipe = request.recipe(),
                               .submitter = caller.SpiffeId(),
                               .token = request.token(),
                               .initial_model = {},
                               .trace = std::move(trace)};
  FillRecipeDefaults(&submit.recipe);
  // Where the files lay on the submitter's machine is nobody's business; they go by their digests.
  v1::Model& model = *submit.recipe.mutable_model();
  if (model.has_torchscript()) model.mutable_torchscript()->clear_file();
  if (model.has_initial_weights()) model.mutable_initial_weights()->clear_file();
  ENTENTE_ASSIGN_OR_RETURN(submit.initial_model, Digest::FromHex(request.initial_model_digest()));
  ENTENTE_ASSIGN_OR_RETURN(const engine::SubmitOutcome outcome,
                           context_.jobs->Submit(std::move(submit)));
  *response->mutable_job() =
      ToProto(outcome.job->View(), *context_.workers, context_.clock->Now(), Detail::kFull);
  response->set_created(outcome.created);
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* JobService::ListJobs(grpc::CallbackServerContext* call,
                                               const v1::ListJobsRequest*,
                                               v1::ListJobsResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadJobs).status());
    for (const auto& job : context_.jobs->All()) {
      *response->add_jobs() =
          ToProto(job->View(), *context_.workers, context_.clock->Now(), Detail::kBrief);
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* JobService::GetJob(grpc::CallbackServerContext* call,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadJobs).status());
    ENTENTE_ASSIGN_OR_RETURN(const auto job, context_.jobs->Find(JobId(request->job_id())));
    *response = ToProto(job->View(), *context_.workers, context_.clock->Now(), Detail::kFull);
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::Job>* JobService::WatchJob(grpc::CallbackServerContext* call,
                                                        const v1::WatchJobRequest* request) {
  absl::Status status = context_.callers->Admit(*call, Action::kReadJobs).status();
  std::shared_ptr<engine::JobEngine> job;
  if (status.ok()) {
    auto found = context_.jobs->Find(JobId(request->job_id()));
    status = found.status();
    if (found.ok()) job = *std::move(found);
  }
  return WatchReactor::Start(context_, std::move(job), status);
}

absl::StatusOr<JobService::Change> JobService::AdmitChange(const grpc::CallbackServerContext& call,
                                                           const ChangeRequest& request) const {
  const log::Scope scope(LogFieldsOfNamedJob(*context_.jobs, request.job_id));
  ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity caller,
                           context_.callers->Admit(call, request.own_job));
  ENTENTE_ASSIGN_OR_RETURN(auto job, context_.jobs->Find(JobId(request.job_id)));
  if (job->description().submitter != caller.SpiffeId()) {
    if (absl::Status status = members::Authorize(caller, request.any_job); !status.ok()) {
      context_.callers->LogRefusal(call, caller, status);
      return status;
    }
  }
  std::string reason = absl::StrCat(request.verb, " by ", caller.SpiffeId());
  if (!request.reason.empty()) {
    absl::StrAppend(&reason, ": ", ClipUtf8(request.reason, limits::kReasonBytesMax));
  }
  return Change{.job = std::move(job), .reason = std::move(reason)};
}

grpc::ServerUnaryReactor* JobService::RunChange(grpc::CallbackServerContext* call,
                                                const ChangeRequest& request, v1::Job* response,
                                                const MakeChange& make) const {
  grpc::ServerUnaryReactor* const reactor = call->DefaultReactor();
  auto change = AdmitChange(*call, request);
  if (!change.ok()) {
    reactor->Finish(ToGrpcStatus(change.status()));
    return reactor;
  }
  engine::JobEngine& job = *change->job;
  make(job, std::move(change->reason),
       [this, job = std::move(change->job), reactor, response](const absl::Status& status) {
         if (status.ok()) {
           *response =
               ToProto(job->View(), *context_.workers, context_.clock->Now(), Detail::kFull);
         }
         reactor->Finish(ToGrpcStatus(status));
       });
  return reactor;
}

grpc::ServerUnaryReactor* JobService::CancelJob(grpc::CallbackServerContext* call,
                                                const v1::CancelJobRequest* request,
                                                v1::Job* response) {
  return RunChange(call,
                   {.job_id = request->job_id(),
                    .verb = "cancelled",
                    .reason = request->reason(),
                    .own_job = Action::kCancelOwnJob,
                    .any_job = Action::kCancelAnyJob},
                   response, [](engine::JobEngine& job, std::string reason, Done done) {
                     job.Cancel(std::move(reason), std::move(done));
                   });
}

grpc::ServerUnaryReactor* JobService::PauseJob(grpc::CallbackServerContext* call,
                                               const v1::PauseJobRequest* request,
                                               v1::Job* response) {
  return RunChange(call,
                   {.job_id = request->job_id(),
                    .verb = "paused",
                    .reason = request->reason(),
                    .own_job = Action::kPauseOwnJob,
                    .any_job = Action::kPauseAnyJob},
                   response,
                   [now = request->now()](engine::JobEngine& job, std::string reason, Done done) {
                     job.PauseJob(std::move(reason), now, std::move(done));
                   });
}

grpc::ServerUnaryReactor* JobService::ResumeJob(grpc::CallbackServerContext* call,
                                                const v1::ResumeJobRequest* request,
                                                v1::Job* response) {
  return RunChange(call,
                   {.job_id = request->job_id(),
                    .verb = "resumed",
                    .reason = request->reason(),
                    .own_job = Action::kPauseOwnJob,
                    .any_job = Action::kPauseAnyJob},
                   response, [](engine::JobEngine& job, std::string reason, Done done) {
                     job.ResumeJob(std::move(reason), std::move(done));
                   });
}

grpc::ServerUnaryReactor* JobService::ListRounds(grpc::CallbackServerContext* call,
                                                 const v1::ListRoundsRequest* request,
                                                 v1::ListRoundsResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadJobs).status());
    ENTENTE_ASSIGN_OR_RETURN(const auto job, context_.jobs->Find(JobId(request->job_id())));
    const engine::JobView view = job->View();
    for (const auto& round : job->Rounds()) {
      *response->add_rounds() =
          ToProto(view, *round, *context_.workers, context_.clock->Now(), Detail::kBrief);
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* JobService::GetRound(grpc::CallbackServerContext* call,
                                               const v1::GetRoundRequest* request,
                                               v1::Round* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadJobs).status());
    ENTENTE_ASSIGN_OR_RETURN(const auto job, context_.jobs->Find(JobId(request->job_id())));
    std::shared_ptr<const rounds::RoundState> found;
    for (const auto& round : job->Rounds()) {
      const bool attempt_fits = request->attempt() == 0 || request->attempt() == round->attempt;
      if (round->round_index == request->round_index() && attempt_fits) found = round;
    }
    if (found == nullptr) {
      return absl::NotFoundError(absl::StrCat(
          "job ", request->job_id(), " has no round ", request->round_index() + 1,
          request->attempt() == 0 ? " yet" : absl::StrCat(" attempt ", request->attempt())));
    }
    *response =
        ToProto(job->View(), *found, *context_.workers, context_.clock->Now(), Detail::kFull);
    return absl::OkStatus();
  });
}

}  // namespace entente::service
