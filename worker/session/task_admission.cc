// SPDX-License-Identifier: Apache-2.0
#include "worker/session/task_admission.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/crypto/sha256.h"
#include "common/recipe/recipe.h"

namespace entente::worker {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr absl::Duration kDeadlineMax = absl::Hours(24 * 90);

bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

absl::Status CheckKey(const v1::TaskKey& key) {
  if (!IsPlainName(key.job_id())) {
    return absl::InvalidArgumentError("the task's job id is empty, too long or not a plain name");
  }
  if (key.attempt() == 0)
    return absl::InvalidArgumentError("the task's attempt is 0; it counts from 1");
  if (key.kind() != v1::TaskKey::KIND_TRAIN && key.kind() != v1::TaskKey::KIND_EVALUATE) {
    return absl::InvalidArgumentError(
        "the task is neither to train nor to evaluate: this worker may be too old for it");
  }
  return absl::OkStatus();
}

std::string Names(const OfferedDatasets& datasets) {
  return absl::StrJoin(datasets, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, entry.first);
  });
}

PolicyRequest RequestOf(const v1::Task& task) {
  const v1::Recipe& recipe = task.recipe();
  return {.submitter = task.submitter(),
          .purpose = recipe.purpose(),
          .dataset = recipe.dataset(),
          .model_kind = ModelKind(recipe),
          .rounds = recipe.rounds(),
          .round_deadline = ToDuration(recipe.pacing().deadline())};
}

PolicyRequest StartRequest(const v1::Task& task) {
  PolicyRequest request = RequestOf(task);
  request.starts_training = task.key().kind() == v1::TaskKey::KIND_TRAIN;
  return request;
}

}  // namespace

absl::Status CheckTask(const v1::Task& task, const OfferedDatasets& datasets) {
  ENTENTE_RETURN_IF_ERROR(CheckKey(task.key()));
  if (!Digest::FromHex(task.model_digest()).ok()) {
    return absl::InvalidArgumentError("the task's model digest is not a SHA-256");
  }
  if (!task.has_recipe()) return absl::InvalidArgumentError("the task has no recipe");
  ENTENTE_RETURN_IF_ERROR(CheckRecipe(task.recipe()));
  if (RecipeDigest(task.recipe()).ToHex() != task.recipe_digest()) {
    return absl::InvalidArgumentError("the task's recipe is not the one its digest names");
  }
  if (task.submitter().empty() || task.submitter().size() > limits::kReasonBytesMax) {
    return absl::InvalidArgumentError("the task does not say who submitted its job");
  }
  const absl::Duration deadline = ToDuration(task.deadline());
  if (deadline <= absl::ZeroDuration() || deadline > kDeadlineMax) {
    return absl::InvalidArgumentError(absl::StrCat("the task's deadline is ",
                                                   absl::FormatDuration(deadline),
                                                   "; it must be over 0 s and at most 90 days"));
  }
  if (ToDuration(task.lease()) <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("the task's lease is not over 0 s");
  }
  if (datasets.count(task.recipe().dataset()) == 0) {
    return absl::NotFoundError(absl::StrCat("this worker offers no data set \"",
                                            task.recipe().dataset(), "\"; it offers ",
                                            Names(datasets)));
  }
  return absl::OkStatus();
}

TaskAdmission::TaskAdmission(Dependencies dependencies) : dependencies_(dependencies) {}

std::optional<v1::TaskDeclined> TaskAdmission::Refusal(const v1::Task& task) const {
  v1::TaskDeclined declined;
  *declined.mutable_key() = task.key();
  if (const absl::Status checked = CheckTask(task, *dependencies_.datasets); !checked.ok()) {
    declined.set_reason(std::string(checked.message()));
    return declined;
  }
  if (const std::string away = dependencies_.away ? dependencies_.away() : ""; !away.empty()) {
    declined.set_reason(absl::StrCat("this worker is ", away));
    return declined;
  }
  const PolicyDecision decision =
      dependencies_.policy->Decide(StartRequest(task), dependencies_.clock->Now());
  if (decision.allowed) return std::nullopt;
  declined.set_rule(decision.rule);
  declined.set_reason(decision.reason);
  return declined;
}

absl::Status TaskAdmission::CheckStart(const v1::Task& task) const {
  return dependencies_.policy->Check(StartRequest(task), dependencies_.clock->Now());
}

absl::Status TaskAdmission::CheckUpdate(const v1::Task& task, uint64_t update_bytes) const {
  PolicyRequest request = RequestOf(task);
  request.update_bytes = update_bytes;
  return dependencies_.policy->Check(request, dependencies_.clock->Now());
}

}  // namespace entente::worker
