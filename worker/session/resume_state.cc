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
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "worker/session/task_key.h"

namespace entente::worker {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kUpdateSuffix[] = ".safetensors";
constexpr char kDescriptionSuffix[] = ".json";
constexpr uint64_t kDescriptionBytesMax = 64 << 10;
constexpr const char* kSeed = "seed";

// Numbers are kept bit for bit: the same header must be sent again.
std::string ToText(const v1::UploadHeader& header, const v1::Task& task) {
  const Json json = {{"job", task.key().job_id()},
                     {"round_index", task.key().round_index()},
                     {"base_model_digest", header.update().base_model_digest()},
                     {"recipe_digest", task.recipe_digest()},
                     {kSeed, task.seed()},
                     {"counted_update_digest", task.counted_update_digest()},
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

bool HasNumber(const Json& json, const char* key, uint64_t expected) {
  const auto value = json.find(key);
  return value != json.end() && value->is_number_unsigned() && value->get<uint64_t>() == expected;
}

// Whether training for `task` would make what `json` describes once more. The recipe has the
// encoding, and the update that counted last decides what topk adds.
bool IsMadeOfTheSame(const Json& json, const v1::Task& task) {
  return TextOf(json, "job") == task.key().job_id() &&
         HasNumber(json, "round_index", task.key().round_index()) &&
         TextOf(json, "base_model_digest") == task.model_digest() &&
         TextOf(json, "recipe_digest") == task.recipe_digest() &&
         HasNumber(json, kSeed, task.seed()) &&
         TextOf(json, "counted_update_digest") == task.counted_update_digest();
}

// Whether `json` is what ToText wrote for `task` or another attempt of its round; if so fills
// `header`.
bool FromJson(const Json& json, const v1::Task& task, v1::UploadHeader* header) {
  if (!json.is_object() || !IsMadeOfTheSame(json, task)) return false;
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

// For the operator: a training of hours is made once more, for what may have been wrong in passing.
void WarnOfUnread(const absl::Status& failure) {
  if (absl::IsNotFound(failure)) return;
  log::Warning("a kept update cannot be read; training for it once more",
               {{"reason", failure.message()}});
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

absl::Status ResumeState::Keep(const v1::UploadHeader& header, const v1::Task& task) {
  const Entry entry{.stem = TaskFileStem(task.key()), .job = task.key().job_id()};
  // First, so that whatever comes to be of its files goes with the job.
  std::erase_if(entries_, [&entry](const Entry& other) { return other.stem == entry.stem; });
  entries_.push_back(entry);
  const std::string path = PathOf(entry.stem, kUpdateSuffix);
  // To open it for writing would make one that is not there.
  ENTENTE_RETURN_IF_ERROR(files_.SizeBytes(path).status());
  {
    // Whoever wrote it may not have.
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> file, files_.OpenForWrite(path));
    ENTENTE_RETURN_IF_ERROR(file->Sync());
  }
  ENTENTE_RETURN_IF_ERROR(
      WriteTextFile(files_, PathOf(entry.stem, kDescriptionSuffix), ToText(header, task)));
  ENTENTE_RETURN_IF_ERROR(DropOfJob(entry.job, entry.stem));
  while (entries_.size() > limits::kWorkerKeptUpdatesMax) ENTENTE_RETURN_IF_ERROR(DropFirst());
  return absl::OkStatus();
}

std::optional<KeptUpdate> ResumeState::Find(const v1::Task& task) {
  const std::string description = PathOf(TaskFileStem(task.key()), kDescriptionSuffix);
  const absl::StatusOr<std::string> text = ReadTextFile(files_, description, kDescriptionBytesMax);
  if (!text.ok()) {
    WarnOfUnread(text.status());
    return std::nullopt;
  }
  KeptUpdate kept;
  kept.path = UpdatePath(task.key());
  if (!FromJson(Json::parse(*text, nullptr, /*allow_exceptions=*/false), task, &kept.header)) {
    return std::nullopt;
  }
  const absl::StatusOr<Digest> digest = Sha256OfFile(files_, kept.path);
  if (!digest.ok()) WarnOfUnread(digest.status());
  if (!digest.ok() || digest->ToHex() != kept.header.digest()) return std::nullopt;
  return kept;
}

absl::Status ResumeState::Drop(const v1::TaskKey& key) {
  const std::string stem = TaskFileStem(key);
  std::erase_if(entries_, [&stem](const Entry& entry) { return entry.stem == stem; });
  return RemoveFiles(stem);
}

absl::Status ResumeState::DropOthers(const v1::TaskKey& key) {
  return DropOfJob(key.job_id(), TaskFileStem(key));
}

absl::Status ResumeState::DropJob(const std::string& job_id) { return DropOfJob(job_id, ""); }

absl::Status ResumeState::DropOfJob(const std::string& job_id, absl::string_view kept) {
  const auto goes = [&](const Entry& entry) { return entry.job == job_id && entry.stem != kept; };
  auto found = std::find_if(entries_.begin(), entries_.end(), goes);
  while (found != entries_.end()) {
    const std::string stem = found->stem;
    entries_.erase(found);
    ENTENTE_RETURN_IF_ERROR(RemoveFiles(stem));
    found = std::find_if(entries_.begin(), entries_.end(), goes);
  }
  return absl::OkStatus();
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
    const std::string update = absl::StrCat(stem, kUpdateSuffix);
    if (!std::binary_search(names.begin(), names.end(), update)) continue;
    ENTENTE_ASSIGN_OR_RETURN(const PathInfo info, files_.LookAt(path));
    if (info.kind != PathInfo::Kind::kFile) continue;
    const absl::StatusOr<std::string> text = ReadTextFile(files_, path, kDescriptionBytesMax);
    if (absl::IsInvalidArgument(text.status())) continue;  // Too long to be one.
    // What cannot be read now may be read by the next start: nothing is removed for it.
    ENTENTE_RETURN_IF_ERROR(text.status());
    const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    // One that does not say what it was made of is never found.
    if (!json.is_object() || !json.contains(kSeed)) continue;
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
