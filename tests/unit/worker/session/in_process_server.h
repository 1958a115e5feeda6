// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_WORKER_SESSION_IN_PROCESS_SERVER_H_
#define TESTS_UNIT_WORKER_SESSION_IN_PROCESS_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <memory>

namespace entente::worker {

// Serves `service`, which is borrowed, within this process, without a port.
class InProcessServer {
 public:
  explicit InProcessServer(grpc::Service* service) {
    grpc::ServerBuilder builder;
    builder.RegisterService(service);
    server_ = builder.BuildAndStart();
  }
  ~InProcessServer() { server_->Shutdown(); }

  std::shared_ptr<grpc::Channel> Channel() {
    return server_->InProcessChannel(grpc::ChannelArguments());
  }

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace entente::worker

#endif  // TESTS_UNIT_WORKER_SESSION_IN_PROCESS_SERVER_H_
