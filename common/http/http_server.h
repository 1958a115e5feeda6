// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_HTTP_SERVER_H_
#define COMMON_HTTP_HTTP_SERVER_H_

// A small HTTP server for people and Prometheus to look at a program: GET and HEAD, server-sent
// events, TLS with or without client certificates. HTTP itself is cpp-httplib's; the sockets are
// ours, because its server gives every connection a thread (docs/adr/0027).
//
//   http::HttpServer::Options options;
//   options.listen = "127.0.0.1:0";
//   options.routes.push_back({.path = "/healthz", .visible_to = http::Viewer::Kind::kPublic,
//                             .answer = [](const http::Request&) { return http::TextResponse(200,
//                             "alive"); }});
//   ENTENTE_ASSIGN_OR_RETURN(auto server, http::HttpServer::Start(std::move(options)));

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/file_system.h"
#include "common/http/http_message.h"
#include "common/identity/peer_identity.h"
#include "common/identity/trust_store.h"
#include "common/rpc/tls_paths.h"

namespace entente::http {

class HttpServer {
 public:
  struct Options {
    std::string listen;      // host:port; port 0 picks one.
    TlsPaths tls;            // Certificate and key; empty: plain HTTP. The authority is not used.
    std::string token_file;  // Empty: no token.
    // Whose certificates browsers may present; null: nobody's. Borrowed.
    const TrustStore* trust = nullptr;
    // The member that a certificate is of, "" for the alliance's own. Of the alliance's, operators
    // and observers see what operators see, others what members see.
    std::function<std::string(const PeerIdentity&)> member_of;
    std::vector<Route> routes;
    const Clock* clock = nullptr;  // Borrowed.
    FileSystem* files = nullptr;   // Borrowed.
  };

  // Listens and answers from then on.
  //
  // INVALID_ARGUMENT: `listen` is not host:port, or is not a loopback address and there is no TLS,
  // or neither certificates nor a token to know viewers by; the certificate, key or token file is
  // unfit. UNAVAILABLE: the port is in use or the address is not this machine's.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options);

  // What Start would refuse before it listens.
  static absl::Status Check(Options options);

  // As Stop.
  ~HttpServer();

  // Where it listens; differs from `listen` if that said port 0.
  int port() const;

  // "http://127.0.0.1:7480/", for people.
  std::string url() const;

  // Ends every connection and event stream, waits for routes that are running. After it no route
  // is called.
  void Stop();

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace entente::http

#endif  // COMMON_HTTP_HTTP_SERVER_H_
