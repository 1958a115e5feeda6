// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_MEMBER_TEXT_H_
#define CLI_MEMBER_TEXT_H_

// Workers in words, the same in `member list` and `member show`.

#include <string>

#include "absl/time/time.h"
#include "entente/v1/member.pb.h"

namespace entente::cli {

// "gpu-1" of "fr-lab/gpu-1".
std::string WorkerName(const v1::Worker& worker);

// "bubblewrap", or "none!": nothing but trust keeps that trainer from the network.
std::string SandboxText(const v1::Worker& worker);

// What it does, why it is not connected, or until when it is away.
std::string ActivityText(const v1::Worker& worker);

// "12 s ago"; empty if it was never seen.
std::string LastSeenText(const v1::Worker& worker, absl::Time now);

}  // namespace entente::cli

#endif  // CLI_MEMBER_TEXT_H_
