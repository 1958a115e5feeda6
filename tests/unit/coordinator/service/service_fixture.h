// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COORDINATOR_SERVICE_SERVICE_FIXTURE_H_
#define TESTS_UNIT_COORDINATOR_SERVICE_SERVICE_FIXTURE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/base/executor.h"
#include "common/base/limits.h"
#include "common/identity/trust_store.h"
#include "coordinator/service/admin_service.h"
#include "coordinator/service/job_service.h"
#include "coordinator/service/member_service.h"
#include "coordinator/service/model_service.h"
#include "coordinator/service/transfer_service.h"
#include "coordinator/service/worker_service.h"
#include "tests/unit/common/identity/test_certificates.h"
#include "tests/unit/coordinator/engine/engine_fixture.h"

namespace entente::service {

// How much the transfer service takes.
struct TransferBounds {
  absl::Duration idle_max = absl::Seconds(60);
  int transfers_max = 256;
  int transfers_per_caller_max = limits::kTransfersPerCallerMax;
  absl::Duration upload_header_wait_max = limits::kUploadHeaderWaitMax;
  int window_bytes = limits::kUploadWindowBytes;  // Read ahead of each.
};

// All services on a real gRPC server over mTLS on loopback, and callers of every role.
class ServiceTest : public engine::EngineTest {
 protected:
  static constexpr int kTransferThreads = 2;
  // So long that no worker of a test is cut off for its silence, unless the test wants less.
  static constexpr absl::Duration kHeartbeatInterval = absl::Seconds(5);

  explicit ServiceTest(TransferBounds bounds = {},
                       absl::Duration heartbeat_interval = kHeartbeatInterval);
  ~ServiceTest() override;

  // A channel of its own for spiffe://<trust domain>/<role>/<name>.
  std::shared_ptr<grpc::Channel> ChannelAs(const std::string& trust_domain, const std::string& role,
                                           const std::string& name = "w");
  // The same with a certificate of another authority.
  std::shared_ptr<grpc::Channel> ChannelWith(const CertificateAndKey& certificate);

  std::shared_ptr<grpc::Channel> AsSubmitter() {
    return ChannelAs("alliance.example", "submitter", "s");
  }
  std::shared_ptr<grpc::Channel> AsWorker() { return ChannelAs("fr-lab.example", "worker"); }

  // Bounds a call.
  static std::unique_ptr<grpc::ClientContext> Context();

  // Uploads as the channel's owner; the whole of `bytes` in one chunk.
  static grpc::Status Upload(const std::shared_ptr<grpc::Channel>& channel,
                             const v1::UploadHeader& header, const std::string& bytes);
  // Everything a download sends.
  static grpc::Status Download(const std::shared_ptr<grpc::Channel>& channel,
                               const v1::DownloadRequest& request, std::string* bytes);

  const CertificateAndKey alliance_;
  const CertificateAndKey fr_;
  const CertificateAndKey kr_;
  std::unique_ptr<TrustStore> trust_;
  std::unique_ptr<CallerCheck> callers_;
  OpenWatches watches_;
  ThreadPool transfer_executor_{kTransferThreads};
  ServiceContext context_;

 private:
  std::unique_ptr<AdminService> admin_service_;
  std::unique_ptr<JobService> job_service_;
  std::unique_ptr<MemberService> member_service_;
  std::unique_ptr<ModelService> model_service_;
  std::unique_ptr<TransferService> transfer_service_;
  std::unique_ptr<WorkerService> worker_service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  int channel_count_ = 0;
};

}  // namespace entente::service

#endif  // TESTS_UNIT_COORDINATOR_SERVICE_SERVICE_FIXTURE_H_
