// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_CONTEXTS_CHECK_H_
#define CLI_CONTEXTS_CHECK_H_

#include "absl/status/statusor.h"
#include "cli/exit_code.h"
#include "cli/invocation.h"

namespace entente::cli {

// `entente --check-config`: is the file of contexts right, and are the certificates and keys of
// each context? Connects to nobody; `entente doctor` does.
//
// Prints one line if so. INVALID_ARGUMENT or NOT_FOUND naming the context and the file otherwise.
absl::StatusOr<ExitCode> CheckContexts(const Invocation& invocation);

}  // namespace entente::cli

#endif  // CLI_CONTEXTS_CHECK_H_
