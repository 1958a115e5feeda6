// SPDX-License-Identifier: Apache-2.0
// The ceiling that a round is measured against: a bare gRPC server and N client processes over mTLS
// that move the same bytes down and then up, in messages of the same size, and do nothing with
// them. No disk, no digest, no aggregation. Prints the seconds of each round as JSON, and the CPU
// seconds of a round, all processes together.

#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/limits.h"
#include "common/rpc/tls_credentials.h"
#include "entente/v1/transfer_service.grpc.pb.h"

namespace entente::bench {
namespace {

struct Options {
  uint64_t bytes_down = 0;
  uint64_t bytes_up = 0;
  int workers = 1;
  int rounds = 9;
  bool default_channel = false;
  TlsPaths server;
  TlsPaths client;
};

class Download final : public grpc::ServerWriteReactor<v1::Chunk> {
 public:
  explicit Download(uint64_t bytes) : left_(bytes) {
    chunk_.mutable_data()->resize(limits::kTransferChunkBytes, 'x');
    Next();
  }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) {
      Finish(grpc::Status::OK);
      return;
    }
    chunk_.mutable_data()->resize(std::min<uint64_t>(left_, limits::kTransferChunkBytes));
    left_ -= chunk_.data().size();
    StartWrite(&chunk_);
  }

  uint64_t left_;
  v1::Chunk chunk_;
};

class Upload final : public grpc::ServerReadReactor<v1::UploadMessage> {
 public:
  Upload() { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (ok) {
      StartRead(&message_);
    } else {
      Finish(grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

 private:
  v1::UploadMessage message_;
};

class BareService final : public v1::TransferService::CallbackService {
 public:
  explicit BareService(uint64_t bytes_down) : bytes_down_(bytes_down) {}
  grpc::ServerWriteReactor<v1::Chunk>* Download(grpc::CallbackServerContext*,
                                                const v1::DownloadRequest*) override {
    return new bench::Download(bytes_down_);
  }
  grpc::ServerReadReactor<v1::UploadMessage>* Upload(grpc::CallbackServerContext*,
                                                     v1::UploadReceipt*) override {
    return new bench::Upload();
  }

 private:
  const uint64_t bytes_down_;
};

grpc::Status Fetch(v1::TransferService::Stub& stub) {
  grpc::ClientContext context;
  const auto reader = stub.Download(&context, v1::DownloadRequest());
  v1::Chunk chunk;
  while (reader->Read(&chunk)) {
  }
  return reader->Finish();
}

grpc::Status Send(v1::TransferService::Stub& stub, uint64_t bytes) {
  grpc::ClientContext context;
  v1::UploadReceipt receipt;
  const auto writer = stub.Upload(&context, &receipt);
  v1::UploadMessage message;
  for (uint64_t left = bytes; left > 0;) {
    std::string& data = *message.mutable_chunk()->mutable_data();
    data.resize(std::min<uint64_t>(left, limits::kTransferChunkBytes), 'x');
    left -= data.size();
    if (!writer->Write(message)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

// A client process: a byte on `go` starts a round, one on `done` says it is over.
int RunClient(const Options& options, int port, int go, int done) {
  const std::string target = "127.0.0.1:" + std::to_string(port);
  std::shared_ptr<grpc::Channel> channel;
  if (options.default_channel) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
    channel = grpc::CreateCustomChannel(target, ClientTls(options.client), arguments);
  } else {
    channel = DialCoordinator(target, options.client);
  }
  const auto stub = v1::TransferService::NewStub(channel);
  for (char byte; read(go, &byte, 1) == 1;) {
    for (const grpc::Status& status : {Fetch(*stub), Send(*stub, options.bytes_up)}) {
      if (status.ok()) continue;
      std::cerr << "entente-bench-ceiling: " << status.error_message() << "\n";
      return 1;
    }
    if (write(done, "x", 1) != 1) return 1;
  }
  return 0;
}

double CpuSeconds(int whose) {
  rusage usage = {};
  if (getrusage(whose, &usage) != 0) return 0;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Pipe {
  Pipe() {
    if (pipe(ends.data()) != 0) throw std::runtime_error("cannot make a pipe");
  }
  int read_end() const { return ends[0]; }
  int write_end() const { return ends[1]; }
  std::array<int, 2> ends;
};

// The server must not exist before the fork: gRPC's threads do not survive one. So the clients are
// forked first and learn the port from their pipe.
int RunServer(const Options& options) {
  Pipe done;
  std::vector<Pipe> go(options.workers);
  std::vector<pid_t> clients;
  for (int i = 0; i < options.workers; ++i) {
    const pid_t pid = fork();
    if (pid < 0) return 1;
    if (pid == 0) {
      for (const Pipe& pipe : go) close(pipe.write_end());
      int port = 0;
      if (read(go[i].read_end(), &port, sizeof(port)) != sizeof(port)) _exit(1);
      _exit(RunClient(options, port, go[i].read_end(), done.write_end()));
    }
    clients.push_back(pid);
  }
  close(done.write_end());

  BareService service(options.bytes_down);
  grpc::ServerBuilder builder;
  int port = 0;
  if (options.default_channel) {
    builder.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  } else {
    SetServerChannelOptions(&builder, ServerMemory{});
  }
  builder.AddListeningPort("127.0.0.1:0", ServerTls(options.server), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (const Pipe& pipe : go) {
    if (write(pipe.write_end(), &port, sizeof(port)) != sizeof(port)) return 1;
  }

  std::vector<double> seconds;
  for (int round = 0; round < options.rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (const Pipe& pipe : go) {
      if (write(pipe.write_end(), "x", 1) != 1) return 1;
    }
    for (int i = 0; i < options.workers; ++i) {
      char byte;
      if (read(done.read_end(), &byte, 1) != 1) return 1;
    }
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  for (const Pipe& pipe : go) close(pipe.write_end());
  for (const pid_t client : clients) waitpid(client, nullptr, 0);
  // Clients count once they were waited for.
  const double cpu_seconds = CpuSeconds(RUSAGE_SELF) + CpuSeconds(RUSAGE_CHILDREN);
  const nlohmann::json result = {{"seconds", seconds},
                                 {"cpu_seconds_per_round", cpu_seconds / options.rounds}};
  std::cout << result.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace entente::bench

int main(int argc, char** argv) {
  entente::bench::Options options;
  CLI::App app("Moves bytes over bare gRPC with mTLS, down and then up");
  app.add_option("--bytes-down", options.bytes_down, "to each worker")->required();
  app.add_option("--bytes-up", options.bytes_up, "from each worker")->required();
  app.add_option("--workers", options.workers, "client processes")->required();
  app.add_option("--rounds", options.rounds, "rounds to move");
  app.add_flag("--default-channel", options.default_channel,
               "gRPC's own channel settings in place of Entente's");
  app.add_option("--server-certificate", options.server.certificate)->required();
  app.add_option("--server-key", options.server.private_key)->required();
  app.add_option("--client-certificate", options.client.certificate)->required();
  app.add_option("--client-key", options.client.private_key)->required();
  app.add_option("--server-authority", options.client.authority, "of the server")->required();
  app.add_option("--client-authority", options.server.authority, "of the clients")->required();
  CLI11_PARSE(app, argc, argv);
  return entente::bench::RunServer(options);
}
