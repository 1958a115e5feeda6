// SPDX-License-Identifier: Apache-2.0
// A trainer that tries to get out, and reports over the trainer protocol how far it came.
// Arguments: a port on 127.0.0.1 where somebody listens, and a file that is none of its business.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace {

bool ConnectOut(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connection >= 0 &&
         connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

bool Read(const std::string& path) { return std::ifstream(path).good(); }

bool Write(const std::string& path) {
  std::ofstream file(path);
  file << "escaped" << std::flush;
  return file.good();
}

bool MayGainPrivileges() { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0; }

std::string Word(const char* what, bool done) {
  return std::string(what) + (done ? " done" : " failed");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::puts(R"({"type":"hello","protocol":1,"trainer":"escaping"})");
  std::fflush(stdout);
  std::string line;
  std::getline(std::cin, line);
  const auto prepare = nlohmann::json::parse(line);
  const std::string data = prepare["dataset"]["directory"];
  const std::string program = prepare["program"];
  const std::string report =
      Word("connect", ConnectOut(std::atoi(argv[1]))) + ", " + Word("read", Read(argv[2])) + ", " +
      Word("passwd", Read("/etc/passwd")) + ", " + Word("beside", Write("../escaped")) + ", " +
      Word("into data", Write(data + "/escaped")) + ", " + Word("into models", Write(program)) +
      ", " + Word("privileges", MayGainPrivileges()) + ", " +
      Word("own data", Read(data + "/train.csv")) + ", " + Word("own model", Read(program)) + ", " +
      Word("own folder", Write("result"));
  std::puts((R"({"type":"error","message":")" + report + "\"}").c_str());
  std::fflush(stdout);
  std::getline(std::cin, line);
  return 0;
}
