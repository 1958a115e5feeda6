// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/coordinator/service/service_fixture.h"

#include "absl/strings/str_cat.h"
#include "tests/unit/common/rpc/loopback.h"

namespace entente::service {

ServiceTest::ServiceTest(TransferBounds bounds, absl::Duration heartbeat_interval)
    : alliance_(MakeAuthority("alliance.example", RealNow())),
      fr_(MakeAuthority("fr-lab.example", RealNow() - absl::Hours(100))),
      kr_(MakeAuthority("kr-lab.example", RealNow())) {
  trust_ =
      TrustStore::Create({{"alliance.example",
                           alliance_.certificate_pem,
                           {Role::kOperator, Role::kSubmitter, Role::kObserver}},
                          {"fr-lab.example", fr_.certificate_pem, {Role::kWorker, Role::kObserver}},
                          {"kr-lab.example", kr_.certificate_pem, {Role::kWorker}}})
          .value();
  callers_ = std::make_unique<CallerCheck>(trust_.get(), workers_.get(), &clock_);
  context_ = {.clock = &clock_,
              .steady_clock = &steady_clock_,
              .callers = callers_.get(),
              .jobs = jobs_.get(),
              .uploads = uploads_.get(),
              .models = models_.get(),
              .workers = workers_.get(),
              .watches = &watches_,
              .pauses = pauses_.get(),
              .executor = executor_.get(),
              .transfer_executor = &transfer_executor_,
              .heartbeat_interval = heartbeat_interval,
              .transfer_idle_max = bounds.idle_max,
              .transfers_max = bounds.transfers_max,
              .transfers_per_caller_max = bounds.transfers_per_caller_max,
              .upload_header_wait_max = bounds.upload_header_wait_max,
              .version = "0.1.0-test"};
  admin_service_ = std::make_unique<AdminService>(
      context_, inventory::BackupSource::Dependencies{.files = &files_,
                                                      .journal = real_journal_.get(),
                                                      .spool = spool_.get(),
                                                      .folder = folder_.path()});
  job_service_ = std::make_unique<JobService>(context_);
  member_service_ = std::make_unique<MemberService>(context_);
  model_service_ = std::make_unique<ModelService>(context_);
  transfer_service_ = std::make_unique<TransferService>(context_);
  worker_service_ = std::make_unique<WorkerService>(context_);
  const CertificateAndKey own =
      MakeCertificate(alliance_, "spiffe://alliance.example/coordinator/c", RealNow());
  grpc::ServerBuilder builder;
  SetServerChannelOptions(&builder, ServerMemory{.window_bytes = bounds.window_bytes});
  builder.AddListeningPort(
      "127.0.0.1:0", ServerTls(WriteTlsFiles(folder_, "server", own, trust_->BundlePem())), &port_);
  builder.RegisterService(admin_service_.get());
  builder.RegisterService(job_service_.get());
  builder.RegisterService(member_service_.get());
  builder.RegisterService(model_service_.get());
  builder.RegisterService(transfer_service_.get());
  builder.RegisterService(worker_service_.get());
  server_ = builder.BuildAndStart();
}

ServiceTest::~ServiceTest() {
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  server_.reset();
}

std::shared_ptr<grpc::Channel> ServiceTest::ChannelAs(const std::string& trust_domain,
                                                      const std::string& role,
                                                      const std::string& name) {
  const CertificateAndKey& authority = trust_domain == "fr-lab.example"   ? fr_
                                       : trust_domain == "kr-lab.example" ? kr_
                                                                          : alliance_;
  return ChannelWith(MakeCertificate(
      authority, absl::StrCat("spiffe://", trust_domain, "/", role, "/", name), RealNow()));
}

std::shared_ptr<grpc::Channel> ServiceTest::ChannelWith(const CertificateAndKey& certificate) {
  const std::string stem = absl::StrCat("client", ++channel_count_);
  return DialCoordinator(absl::StrCat("127.0.0.1:", port_),
                         WriteTlsFiles(folder_, stem, certificate, alliance_.certificate_pem));
}

std::unique_ptr<grpc::ClientContext> ServiceTest::Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  return context;
}

grpc::Status ServiceTest::Upload(const std::shared_ptr<grpc::Channel>& channel,
                                 const v1::UploadHeader& header, const std::string& bytes) {
  const auto context = Context();
  v1::UploadReceipt receipt;
  const auto stub = v1::TransferService::NewStub(channel);
  const auto writer = stub->Upload(context.get(), &receipt);
  v1::UploadMessage message;
  *message.mutable_header() = header;
  writer->Write(message);
  message.mutable_chunk()->set_offset(0);
  message.mutable_chunk()->set_data(bytes);
  writer->Write(message);
  writer->WritesDone();
  return writer->Finish();
}

grpc::Status ServiceTest::Download(const std::shared_ptr<grpc::Channel>& channel,
                                   const v1::DownloadRequest& request, std::string* bytes) {
  const auto context = Context();
  const auto stub = v1::TransferService::NewStub(channel);
  const auto reader = stub->Download(context.get(), request);
  for (v1::Chunk chunk; reader->Read(&chunk);) bytes->append(chunk.data());
  return reader->Finish();
}

}  // namespace entente::service
