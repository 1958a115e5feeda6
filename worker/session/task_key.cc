// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_key.h"

#include "absl/strings/str_cat.h"
#include "common/crypto/sha256.h"

namespace entente::worker {
namespace {

absl::string_view Verb(v1::TaskKey::Kind kind) {
  return kind == v1::TaskKey::KIND_EVALUATE ? "evaluate" : "train";
}

}  // namespace

bool SameTask(const v1::TaskKey& a, const v1::TaskKey& b) {
  return a.job_id() == b.job_id() && a.round_index() == b.round_index() &&
         a.attempt() == b.attempt() && a.kind() == b.kind();
}

std::string TaskText(const v1::TaskKey& key) {
  std::string text =
      absl::StrCat(Verb(key.kind()), " ", key.job_id(), " round ", uint64_t{key.round_index()} + 1);
  if (key.attempt() > 1) absl::StrAppend(&text, " attempt ", key.attempt());
  return text;
}

std::string JobFileStem(absl::string_view job_id) {
  return Sha256Of(job_id).ToHex().substr(0, kFileStemDigits);
}

std::string TaskFileStem(const v1::TaskKey& key) {
  const Digest of_task =
      Sha256Of(absl::StrCat(key.round_index(), "\n", static_cast<int>(key.kind())));
  return absl::StrCat(JobFileStem(key.job_id()), of_task.ToHex().substr(0, kFileStemDigits));
}

std::string CheckpointName(const v1::Task& task) {
  const Digest of_content =
      Sha256Of(absl::StrCat(task.model_digest(), "\n", task.recipe_digest(), "\n", task.seed()));
  return absl::StrCat(TaskFileStem(task.key()), "-", of_content.ToHex().substr(0, kFileStemDigits),
                      ".checkpoint");
}

}  // namespace entente::worker
