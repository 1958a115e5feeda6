// SPDX-License-Identifier: Apache-2.0
#ifndef SIM_MESSAGE_TEXT_H_
#define SIM_MESSAGE_TEXT_H_

#include <string>

#include "entente/v1/worker_service.pb.h"

namespace entente::sim {

// A control message in a few words, for the trace.
std::string MessageText(const v1::WorkerMessage& message);
std::string MessageText(const v1::CoordinatorMessage& message);

}  // namespace entente::sim

#endif  // SIM_MESSAGE_TEXT_H_
