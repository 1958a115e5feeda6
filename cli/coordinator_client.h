// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_COORDINATOR_CLIENT_H_
#define CLI_COORDINATOR_CLIENT_H_

// The coordinator's services as functions that return absl::Status. Every call has a deadline or
// ends with the connection, ends as CANCELLED on Ctrl-C, and when the coordinator cannot be reached
// the error says why in one plain sentence (common/rpc/connection_probe.h).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/context.h"
#include "cli/interruption.h"
#include "common/base/clock.h"
#include "common/base/trace_context.h"
#include "entente/v1/admin_service.pb.h"
#include "entente/v1/job_service.pb.h"
#include "entente/v1/member_service.pb.h"
#include "entente/v1/model_service.pb.h"
#include "entente/v1/transfer_service.pb.h"

namespace entente::cli {

// Who the coordinator is, and what its clock says.
struct Greeting {
  v1::GetVersionResponse version;
  // The coordinator's clock less ours; none if it does not tell.
  std::optional<absl::Duration> clock_ahead;
  absl::Duration uncertainty;  // Of clock_ahead: half the call's time on its way.
};

// Thread-safe.
class CoordinatorClient {
 public:
  // Borrowed; must outlive the client.
  struct Dependencies {
    const Clock* clock = nullptr;
    Interruption* interruption = nullptr;
    // Whose child each call is, as its metadata `traceparent`.
    TraceContext trace = TraceContext::Named("");
  };

  // Checks the TLS files first (INVALID_ARGUMENT, naming the file); does not connect yet.
  // `timeout` bounds each call that is not a stream.
  static absl::StatusOr<std::unique_ptr<CoordinatorClient>> Create(ConnectionTarget target,
                                                                   absl::Duration timeout,
                                                                   Dependencies deps);

  ~CoordinatorClient();

  const ConnectionTarget& target() const { return target_; }

  absl::StatusOr<v1::SubmitJobResponse> SubmitJob(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs();
  absl::StatusOr<v1::Job> GetJob(const std::string& job_id);
  absl::StatusOr<v1::Job> CancelJob(const std::string& job_id, const std::string& reason);
  absl::StatusOr<v1::Job> PauseJob(const v1::PauseJobRequest& request);
  absl::StatusOr<v1::Job> ResumeJob(const v1::ResumeJobRequest& request);
  absl::StatusOr<v1::ListRoundsResponse> ListRounds(const std::string& job_id);
  absl::StatusOr<v1::Round> GetRound(const v1::GetRoundRequest& request);
  absl::StatusOr<v1::ListModelsResponse> ListModels(const std::string& job_id);
  absl::StatusOr<v1::StoredModel> GetModel(const std::string& digest);
  absl::StatusOr<v1::ListMembersResponse> ListMembers();
  absl::StatusOr<v1::Member> GetMember(const std::string& member_id);
  absl::StatusOr<v1::GetVersionResponse> GetVersion();
  absl::StatusOr<Greeting> Greet();
  absl::StatusOr<v1::UploadOffset> GetUploadOffset(const v1::UploadHeader& header);

  // Calls `on_job` for the job as it is and after every change; returns when the stream ends.
  absl::Status WatchJob(const std::string& job_id, const std::function<void(v1::Job)>& on_job);

  // Calls `on_chunk` for every chunk; stops with its error if it returns one.
  absl::Status Download(const v1::DownloadRequest& request,
                        const std::function<absl::Status(const v1::Chunk&)>& on_chunk);

  // Calls `on_message` for every message; stops with its error if it returns one.
  absl::Status Backup(const v1::BackupRequest& request,
                      const std::function<absl::Status(const v1::BackupMessage&)>& on_message);

  // Sends the header, then chunks from `next_chunk` until it sets none, and returns the receipt.
  // `next_chunk` returns false at the end; its errors end the upload.
  absl::StatusOr<v1::UploadReceipt> Upload(
      const v1::UploadHeader& header,
      const std::function<absl::StatusOr<bool>(v1::Chunk*)>& next_chunk);

 private:
  struct Connection;  // gRPC's part, kept out of this header: it is slow to compile.

  CoordinatorClient(ConnectionTarget target, absl::Duration timeout, Dependencies deps);

  // What the caller is told about a call that ended with `plain`.
  absl::Status Explain(const absl::Status& plain) const;

  template <typename Response>
  absl::StatusOr<Response> Explained(absl::StatusOr<Response> response) const {
    if (response.ok()) return response;
    return Explain(response.status());
  }

  const ConnectionTarget target_;
  const absl::Duration timeout_;
  const Clock& clock_;
  Interruption& interruption_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace entente::cli

#endif  // CLI_COORDINATOR_CLIENT_H_
