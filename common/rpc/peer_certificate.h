// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_PEER_CERTIFICATE_H_
#define COMMON_RPC_PEER_CERTIFICATE_H_

#include <grpcpp/grpcpp.h>

#include <string>

namespace entente {

// The certificates the client of this call presented, leaf first, as PEM for TrustStore::Verify.
// Empty if the connection has none, which cannot be with ServerTls.
std::string PeerChainPem(const grpc::ServerContextBase& context);

}  // namespace entente

#endif  // COMMON_RPC_PEER_CERTIFICATE_H_
