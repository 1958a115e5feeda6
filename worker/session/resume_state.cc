// SPDX-License-Identifier: Apache-2.0
#include "worker/session/resume_state.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::string_view kUpdateSuffix = ".safetensors";
constexpr absl::string_view kDescriptionSuffix = ".json";
constexpr uint64_t kDescriptionBytesMax = 64 << 10;

// Numbers are kept bit for bit: the same header must be sent again.
std::string ToText(const v1::UploadHeader& header, const std::string& recipe_digest) {
  const Json json = {{"job", header.update().key().job_id()},
                     {"round_index", header.update().key().round_index()},
                     {"attempt", header.update().key().attempt()},
                     {"base_model_digest", header.update().base_model_digest()},
                     {"recipe_digest", recipe_digest},
                     {"examples", header.update().examples()},
                     {"training_loss", header.update().training_loss()},
                     {"digest", header.digest()},
                     {"total_bytes", header.total_bytes()}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string TextOf(const Json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && value->is_string() ? value->get<std::string>() : "";
}

// Whether `json` is what ToText wrote for `task`; if so fills `header`.
bool FromJson(const Json& json, const v1::Task& task, v1::UploadHeader* header) {
  if (!json.is_object()) return false;
  if (TextOf(json, "base_model_digest") != task.model_digest()) return false;
  if (TextOf(json, "recipe_digest") != task.recipe_digest()) return false;
  const auto loss = json.find("training_loss");
  if (loss == json.end() || !loss->is_number()) return false;
  for (const char* key : {"examples", "total_bytes"}) {
    if (!json.contains(key) || !json[key].is_number_unsigned()) return false;
  }
  v1::UpdateDescription& update = *header->mutable_update();
  *update.mutable_key() = task.key();
  update.set_base_model_digest(task.model_digest());
  update.set_examples(json["examples"].get<uint64_t>());
  update.set_training_loss(loss->get<double>());
  header->set_digest(TextOf(json, "digest"));
  header->set_total_bytes(json["total_bytes"].get<uint64_t>());
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResumeState>> ResumeState::Open(FileSystem* files,
                                                               const std::string& folder) {
  ENTENTE_RETURN_IF_ERROR(files->CreateFolder(folder));
  std::unique_ptr<ResumeState> state(new ResumeState(files, folder));
  ENTENTE_RETURN_IF_ERROR(state->RemoveLeftovers());
  return state;
}

ResumeState::ResumeState(FileSystem* files, std::string folder)
    : files_(*files), folder_(std::move(folder)) {}

std::string ResumeState::UpdatePath(const v1::TaskKey& key) const {
  return absl::StrCat(folder_, "/", TaskFileStem(key), kUpdateSuffix);
}

absl::Status ResumeState::Keep(const v1::UploadHeader& header, const std::string& recipe_digest) {
  return WriteTextFile(files_, DescriptionPath(header.update().key()),
                       ToText(header, recipe_digest));
}

std::optional<KeptUpdate> ResumeState::Find(const v1::Task& task) {
  const std::string description = DescriptionPath(task.key());
  if (!files_.Exists(description)) return std::nullopt;
  const absl::StatusOr<std::string> text = ReadTextFile(files_, description, kDescriptionBytesMax);
  if (!text.ok()) return std::nullopt;
  KeptUpdate kept;
  kept.path = UpdatePath(task.key());
  if (!FromJson(Json::parse(*text, nullptr, /*allow_exceptions=*/false), task, &kept.header)) {
    return std::nullopt;
  }
  const absl::StatusOr<Digest> digest = Sha256OfFile(files_, kept.path);
  if (!digest.ok() || digest->ToHex() != kept.header.digest()) return std::nullopt;
  return kept;
}

absl::Status ResumeState::Drop(const v1::TaskKey& key) {
  ENTENTE_RETURN_IF_ERROR(files_.Remove(DescriptionPath(key)));
  return files_.Remove(UpdatePath(key));
}

absl::Status ResumeState::RemoveLeftovers() {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFiles(folder_));
  const std::set<std::string> all(names.begin(), names.end());
  std::set<std::string> kept;
  for (const std::string& name : names) {
    absl::string_view stem = name;
    if (!absl::ConsumeSuffix(&stem, kDescriptionSuffix)) continue;
    if (kept.size() >= 2 * limits::kWorkerKeptUpdatesMax) continue;  // Two files each.
    const std::string update = absl::StrCat(stem, kUpdateSuffix);
    if (all.count(update) > 0) kept.insert({name, update});
  }
  for (const std::string& name : names) {
    if (kept.count(name) > 0) continue;
    ENTENTE_RETURN_IF_ERROR(files_.Remove(absl::StrCat(folder_, "/", name)));
  }
  return absl::OkStatus();
}

std::string ResumeState::DescriptionPath(const v1::TaskKey& key) const {
  return absl::StrCat(folder_, "/", TaskFileStem(key), kDescriptionSuffix);
}

}  // namespace entente::worker
