// SPDX-License-Identifier: Apache-2.0
#include "sim/message_text.h"

#include "absl/strings/str_cat.h"

namespace entente::sim {
namespace {

std::string KeyText(const v1::TaskKey& key) {
  return absl::StrCat(key.kind() == v1::TaskKey::KIND_EVALUATE ? "evaluate" : "train", " round ",
                      key.round_index() + 1, " attempt ", key.attempt());
}

}  // namespace

std::string MessageText(const v1::WorkerMessage& message) {
  switch (message.kind_case()) {
    case v1::WorkerMessage::kHello:
      return "hello";
    case v1::WorkerMessage::kAccepted:
      return absl::StrCat("accepted ", KeyText(message.accepted().key()));
    case v1::WorkerMessage::kDeclined:
      return absl::StrCat("declined ", KeyText(message.declined().key()), ": ",
                          message.declined().reason());
    case v1::WorkerMessage::kProgress:
      return absl::StrCat(message.progress().activity(), " ", KeyText(message.progress().key()));
    case v1::WorkerMessage::kFailed:
      return absl::StrCat("failed ", KeyText(message.failed().key()), ": ",
                          message.failed().reason());
    case v1::WorkerMessage::kEvaluated:
      return absl::StrCat("evaluated ", KeyText(message.evaluated().key()));
    case v1::WorkerMessage::kGoodbye:
      return "goodbye";
    default:
      return "heartbeat";
  }
}

std::string MessageText(const v1::CoordinatorMessage& message) {
  switch (message.kind_case()) {
    case v1::CoordinatorMessage::kWelcome:
      return "welcome";
    case v1::CoordinatorMessage::kTask:
      return KeyText(message.task().key());
    case v1::CoordinatorMessage::kCancelled:
      return absl::StrCat("cancel ", KeyText(message.cancelled().key()), ": ",
                          message.cancelled().reason());
    case v1::CoordinatorMessage::kGoodbye:
      return absl::StrCat("goodbye: ", message.goodbye().reason());
    case v1::CoordinatorMessage::kJobEnded:
      return "the job has ended";
    default:
      return "heartbeat";
  }
}

}  // namespace entente::sim
