// SPDX-License-Identifier: Apache-2.0
#include "worker/session/resume_state.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kUpdateSuffix[] = ".safetensors";
constexpr char kDescriptionSuffix[] = ".json";
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
  ENTENTE_RETURN_IF_ERROR(state->TakeUpFiles());
  return state;
}

ResumeState::ResumeState(FileSystem* files, std::string folder)
    : files_(*files), folder_(std::move(folder)) {}

std::string ResumeState::UpdatePath(const v1::TaskKey& key) const {
  return PathOf(TaskFileStem(key), kUpdateSuffix);
}

absl::Status ResumeState::Keep(const v1::UploadHeader& header, const std::string& recipe_digest) {
  const v1::TaskKey& key = header.update().key();
  const Entry entry{.stem = TaskFileStem(key), .job = key.job_id()};
  ENTENTE_RETURN_IF_ERROR(
      WriteTextFile(files_, PathOf(entry.stem, kDescriptionSuffix), ToText(header, recipe_digest)));
  const auto is_of_the_job = [&entry](const Entry& other) { return other.job == entry.job; };
  // Those to go come first, the new one last.
  std::stable_partition(entries_.begin(), entries_.end(), is_of_the_job);
  while (!entries_.empty() && is_of_the_job(entries_.front())) {
    if (entries_.front().stem == entry.stem) {
      entries_.erase(entries_.begin());
    } else {
      ENTENTE_RETURN_IF_ERROR(DropFirst());
    }
  }
  entries_.push_back(entry);
  while (entries_.size() > limits::kWorkerKeptUpdatesMax) ENTENTE_RETURN_IF_ERROR(DropFirst());
  return absl::OkStatus();
}

std::optional<KeptUpdate> ResumeState::Find(const v1::Task& task) {
  const std::string description = PathOf(TaskFileStem(task.key()), kDescriptionSuffix);
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
  const std::string stem = TaskFileStem(key);
  std::erase_if(entries_, [&stem](const Entry& entry) { return entry.stem == stem; });
  return RemoveFiles(stem);
}

absl::Status ResumeState::RemoveFiles(const std::string& stem) {
  ENTENTE_RETURN_IF_ERROR(files_.Remove(PathOf(stem, kDescriptionSuffix)));
  return files_.Remove(PathOf(stem, kUpdateSuffix));
}

absl::Status ResumeState::DropFirst() {
  const std::string stem = entries_.front().stem;
  entries_.erase(entries_.begin());
  return RemoveFiles(stem);
}

absl::Status ResumeState::TakeUpFiles() {
  std::multimap<absl::Time, Entry> by_time;
  std::set<std::string> kept;
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListNames(folder_));
  for (const std::string& name : names) {
    absl::string_view stem = name;
    if (!absl::ConsumeSuffix(&stem, kDescriptionSuffix)) continue;
    const std::string path = PathOf(name, "");
    const absl::StatusOr<std::string> text = ReadTextFile(files_, path, kDescriptionBytesMax);
    if (!text.ok() || !files_.Exists(PathOf(stem, kUpdateSuffix))) continue;
    const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    ENTENTE_ASSIGN_OR_RETURN(const PathInfo info, files_.LookAt(path));
    by_time.insert({info.modified_at, {.stem = std::string(stem), .job = TextOf(json, "job")}});
    kept.insert({path, PathOf(stem, kUpdateSuffix)});
  }
  for (const std::string& name : names) {
    const std::string path = PathOf(name, "");
    // Half made, or a folder that a trainer left in the place of an update.
    if (kept.count(path) == 0) ENTENTE_RETURN_IF_ERROR(files_.RemoveTree(path));
  }
  for (auto& [time, entry] : by_time) entries_.push_back(std::move(entry));
  return absl::OkStatus();
}

std::string ResumeState::PathOf(absl::string_view stem, absl::string_view suffix) const {
  return absl::StrCat(folder_, "/", stem, suffix);
}

}  // namespace entente::worker
