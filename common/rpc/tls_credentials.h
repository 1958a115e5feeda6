// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_TLS_CREDENTIALS_H_
#define COMMON_RPC_TLS_CREDENTIALS_H_

// mTLS for both sides of every connection; there is no other mode. TLS 1.3, or 1.2 with a peer that
// has no other. Files that are replaced on disk are picked up within ten seconds, for new
// connections; a certificate whose key does not fit is passed over until its key has come too.

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/identity/peer_identity.h"
#include "common/rpc/tls_paths.h"

namespace entente {

// How often the files are looked at. gRPC counts whole seconds.
inline constexpr absl::Duration kTlsReloadInterval = absl::Seconds(5);

// Reads and checks the files first, so that a mistake is one clear sentence and not a failed
// handshake: NOT_FOUND, or INVALID_ARGUMENT (cannot be read, not PEM, key does not fit the
// certificate, certificate expired or not yet valid, authority file without a valid authority, key
// readable by others), naming the file. The key may be readable by its group.
absl::Status CheckTlsFiles(const TlsPaths& paths, absl::Time now);

// OK if the certificate is for a process with that role; what its SPIFFE id says. INVALID_ARGUMENT
// naming the file, both roles and what to do. Of a file that CheckTlsFiles takes.
absl::Status CheckCertificateRole(const std::string& certificate_path, Role role);

// A server that asks every client for a certificate from `paths.authority`. Only TLS is checked
// here; who the peer is and may do is identity/trust_store.h's and the authorizer's matter.
std::shared_ptr<grpc::ServerCredentials> ServerTls(
    const TlsPaths& paths, absl::Duration reload_interval = kTlsReloadInterval);

// A client that checks the server's certificate and host name.
std::shared_ptr<grpc::ChannelCredentials> ClientTls(
    const TlsPaths& paths, absl::Duration reload_interval = kTlsReloadInterval);

// A channel to the coordinator: keepalive every 20 s, messages up to limits::kMessageBytesMax,
// at most limits::kDownloadWindowBytes of a stream read ahead, reconnecting with a backoff of at
// most `reconnect_max` and 5 to 20 s for each try (the longer the backoff, the longer), over a
// connection that no other channel shares. Never null; connects lazily.
std::shared_ptr<grpc::Channel> DialCoordinator(const std::string& target, const TlsPaths& paths,
                                               absl::Duration reconnect_max = limits::kBackoffMax);

// What may be in memory for gRPC's sake.
struct ServerMemory {
  int window_bytes = limits::kUploadWindowBytes;  // What is read ahead of each stream.
  size_t quota_bytes = size_t{1} << 30;           // All connections together; then gRPC sheds load.
};

// The server's side of DialCoordinator: the same message limit, and leave for its keepalive pings
// (gRPC's default takes a ping every 20 s for an attack and hangs up). Notices a dead peer itself.
// A connection takes no new calls after `connection_age_max`, 10 % more or less, and those that are
// under way end when they end: the peer dials again, and shows the certificate that it has by then.
void SetServerChannelOptions(grpc::ServerBuilder* builder, const ServerMemory& memory,
                             absl::Duration connection_age_max = limits::kConnectionAgeMax);

}  // namespace entente

#endif  // COMMON_RPC_TLS_CREDENTIALS_H_
