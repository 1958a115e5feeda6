// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_COMMON_RPC_LOOPBACK_H_
#define TESTS_UNIT_COMMON_RPC_LOOPBACK_H_

// A real gRPC server on loopback that answers every call with OK, and a call to it.

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/identity/certificate.h"
#include "common/rpc/peer_certificate.h"
#include "common/rpc/tls_credentials.h"
#include "tests/support/temp_folder.h"

namespace entente {

inline absl::Time RealNow() { return SystemClock().Now(); }

// Writes a side's three files into `folder`, under `name`; replaces them as an operator would.
inline TlsPaths WriteTlsFiles(const TempFolder& folder, const std::string& name,
                              const CertificateAndKey& own, const std::string& authority_pem) {
  const TlsPaths paths = {.certificate = folder.File(name + ".pem"),
                          .private_key = folder.File(name + ".key"),
                          .authority = folder.Write(name + "-authority.pem", authority_pem)};
  PosixFileSystem files;
  ENTENTE_CHECK(files.Remove(paths.private_key + ".new").ok());
  ENTENTE_CHECK(WritePrivateKey(paths.private_key + ".new", own.private_key_pem).ok());
  ENTENTE_CHECK(files.Rename(paths.private_key + ".new", paths.private_key).ok());
  ENTENTE_CHECK(WriteTextFile(files, paths.certificate, own.certificate_pem).ok());
  return paths;
}

class LoopbackServer final : private grpc::CallbackGenericService {
 public:
  explicit LoopbackServer(const std::shared_ptr<grpc::ServerCredentials>& credentials,
                          absl::Duration connection_age_max = limits::kConnectionAgeMax) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterCallbackGenericService(this);
    SetServerChannelOptions(&builder, ServerMemory{}, connection_age_max);
    server_ = builder.BuildAndStart();
    ENTENTE_CHECK(server_ != nullptr && port_ != 0);
  }
  ~LoopbackServer() override { server_->Shutdown(); }

  std::string target() const { return absl::StrCat("127.0.0.1:", port_); }
  int port() const { return port_; }

  // PeerChainPem of the last call.
  std::string last_peer() const {
    absl::MutexLock lock(&mu_);
    return last_peer_;
  }

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (ok) {
        StartWriteAndFinish(&request_, grpc::WriteOptions(), grpc::Status::OK);
      } else {
        Finish(grpc::Status::OK);
      }
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer request_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    {
      absl::MutexLock lock(&mu_);
      last_peer_ = PeerChainPem(*context);
    }
    return new Reactor();
  }

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  mutable absl::Mutex mu_;
  std::string last_peer_ ABSL_GUARDED_BY(mu_);
};

// One call; the server's certificate goes to `server_certificate` if that is not null.
inline grpc::Status Call(const std::shared_ptr<grpc::Channel>& channel,
                         std::string* server_certificate = nullptr) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  const grpc::Slice slice("hello");
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(&context, "/test.Echo/Echo", grpc::StubOptions(), &request, &response,
                 [&status, &done](grpc::Status result) {
                   status = std::move(result);
                   done.Notify();
                 });
  done.WaitForNotification();
  if (status.ok() && server_certificate != nullptr) {
    const auto values = context.auth_context()->FindPropertyValues("x509_pem_cert");
    if (!values.empty()) server_certificate->assign(values[0].data(), values[0].size());
  }
  return status;
}

}  // namespace entente

#endif  // TESTS_UNIT_COMMON_RPC_LOOPBACK_H_
