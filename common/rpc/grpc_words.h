// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_RPC_GRPC_WORDS_H_
#define COMMON_RPC_GRPC_WORDS_H_

// What gRPC 1.51 itself says of a connection, such as "failed to connect to all addresses; last
// error: ...", is not for people to read. Where there is time, connection_probe.h finds out more.

#include <string>

#include "absl/strings/string_view.h"

namespace entente {

// Whether a status has gRPC's own words on the loss of a connection, or that none can be made.
bool IsGrpcsOwnSentence(absl::string_view message);

// Those words as a sentence that says what to do, with the words themselves behind it; any other
// message as it is.
std::string InPlainWords(absl::string_view message);

}  // namespace entente

#endif  // COMMON_RPC_GRPC_WORDS_H_
