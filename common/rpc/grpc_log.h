// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_GRPC_LOG_H_
#define COMMON_RPC_GRPC_LOG_H_

namespace entente {

// Sends gRPC's own log lines through ours, at debug level: what they report we say in plain words
// where it happens. Call once in main, after log::Configure.
void RouteGrpcLog();

}  // namespace entente

#endif  // COMMON_RPC_GRPC_LOG_H_
