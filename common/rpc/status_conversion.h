// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_STATUS_CONVERSION_H_
#define COMMON_RPC_STATUS_CONVERSION_H_

// absl::Status and grpc::Status have the same codes; messages are cut to a length that fits into
// trailers (limits::kReasonBytesMax times four).

#include <grpcpp/grpcpp.h>

#include "absl/status/status.h"

namespace entente {

grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace entente

#endif  // COMMON_RPC_STATUS_CONVERSION_H_
