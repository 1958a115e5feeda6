// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/grpc_log.h"

#include <grpc/support/log.h>

#include "common/base/log.h"

namespace entente {
namespace {

void Write(gpr_log_func_args* line) {
  log::Debug(line->message, {{"from", "grpc"}, {"file", line->file}, {"line", line->line}});
}

}  // namespace

void RouteGrpcLog() { gpr_set_log_function(&Write); }

}  // namespace entente
