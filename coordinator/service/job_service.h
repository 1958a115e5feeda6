// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_JOB_SERVICE_H_
#define COORDINATOR_SERVICE_JOB_SERVICE_H_

// proto/entente/v1/job_service.proto, which documents every call and its status codes.

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/trace_context.h"
#include "coordinator/engine/job_engine.h"
#include "coordinator/members/authorizer.h"
#include "coordinator/service/service_context.h"
#include "entente/v1/job_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class JobService final : public v1::JobService::CallbackService {
 public:
  explicit JobService(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* call,
                                      const v1::SubmitJobRequest* request,
                                      v1::SubmitJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* call,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* call,
                                   const v1::GetJobRequest* request, v1::Job* response) override;
  grpc::ServerWriteReactor<v1::Job>* WatchJob(grpc::CallbackServerContext* call,
                                              const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* call,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* PauseJob(grpc::CallbackServerContext* call,
                                     const v1::PauseJobRequest* request,
                                     v1::Job* response) override;
  grpc::ServerUnaryReactor* ResumeJob(grpc::CallbackServerContext* call,
                                      const v1::ResumeJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* ListRounds(grpc::CallbackServerContext* call,
                                       const v1::ListRoundsRequest* request,
                                       v1::ListRoundsResponse* response) override;
  grpc::ServerUnaryReactor* GetRound(grpc::CallbackServerContext* call,
                                     const v1::GetRoundRequest* request,
                                     v1::Round* response) override;

 private:
  // A call that changes a job's course, and what it takes.
  struct ChangeRequest {
    const std::string& job_id;
    absl::string_view verb;  // "cancelled"
    const std::string& reason;
    members::Action own_job;
    members::Action any_job;
  };
  // The job, and who changes it why.
  struct Change {
    std::shared_ptr<engine::JobEngine> job;
    std::string reason;
  };
  absl::StatusOr<Change> AdmitChange(const grpc::CallbackServerContext& call,
                                     const ChangeRequest& request) const;
  using Done = std::function<void(absl::Status)>;
  using MakeChange = std::function<void(engine::JobEngine& job, std::string reason, Done done)>;
  // Answers with the job as it is once `make` has called done, or with why it may not be changed.
  grpc::ServerUnaryReactor* RunChange(grpc::CallbackServerContext* call,
                                      const ChangeRequest& request, v1::Job* response,
                                      const MakeChange& make) const;
  absl::Status Submit(const PeerIdentity& caller, std::optional<TraceContext> trace,
                      const v1::SubmitJobRequest& request, v1::SubmitJobResponse* response);

  const ServiceContext context_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_JOB_SERVICE_H_
