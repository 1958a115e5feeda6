// SPDX-License-Identifier: Apache-2.0
#ifndef TRAINER_MODELS_TORCHSCRIPT_H_
#define TRAINER_MODELS_TORCHSCRIPT_H_

// Models from TorchScript programs (torch.jit.script(...).save(...)): one input batch in, one
// tensor [batch, outputs] out.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "trainer/models/model.h"

namespace entente::trainer {

// INVALID_ARGUMENT, naming the file: it is no TorchScript program, has no parameters (a frozen one
// has none), or has a parameter that is not float32. NOT_FOUND if it is not there.
//
// What the program prints goes to the log: standard output belongs to the protocol.
absl::StatusOr<std::unique_ptr<Model>> LoadTorchScript(const std::string& path);

}  // namespace entente::trainer

#endif  // TRAINER_MODELS_TORCHSCRIPT_H_
