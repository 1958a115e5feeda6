// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_PROTOCOL_PROTOCOL_LOOP_H_
#define TRAINER_PROTOCOL_PROTOCOL_LOOP_H_

// The trainer's side of the trainer protocol: says hello, then answers one message after the other.

#include <istream>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trainer/protocol/training_session.h"

namespace entente::trainer {

struct ProtocolOptions {
  std::string trainer;   // "entente-trainer 0.1.0".
  std::string libtorch;  // "1.13.1".
  absl::Duration progress_interval = absl::Milliseconds(500);
};

// Reads messages from `in` and answers on `out` until "stop" or the end of `in`: OK. A request that
// fails is answered with "error" and the loop goes on.
//
// INVALID_ARGUMENT, after telling the worker, if a line is no message at all or longer than
// limits::kTrainerLineBytesMax; UNAVAILABLE if the worker does not take what is written.
absl::Status RunProtocol(std::istream& in, std::ostream& out, TrainingSession& session,
                         const ProtocolOptions& options);

}  // namespace entente::trainer

#endif  // TRAINER_PROTOCOL_PROTOCOL_LOOP_H_
