// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/job_directory.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/crypto/sha256.h"
#include "common/recipe/recipe.h"
#include "coordinator/engine/stored_files.h"
#include "coordinator/engine/transition_log.h"
#include "coordinator/models/model_check.h"
#include "coordinator/models/rounded_model.h"
#include "coordinator/updates/spool_check.h"

namespace entente::engine {
namespace {

// A file that the recipe names must have been uploaded.
absl::Status CheckUploaded(const models::ModelStore& models, const std::string& hex,
                           absl::string_view what) {
  const auto digest = Digest::FromHex(hex);
  if (!digest.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", digest.status().message()));
  }
  if (!models.Contains(*digest)) {
    return absl::NotFoundError(
        absl::StrCat(what, " ", hex, " was not uploaded; upload it, then submit again"));
  }
  return absl::OkStatus();
}

}  // namespace

JobDirectory::JobDirectory(const JobEngine::Dependencies& dependencies, RandomSource* random,
                           uint32_t running_jobs_max)
    : deps_(dependencies), random_(*random), running_jobs_max_(running_jobs_max) {}

absl::Status JobDirectory::Restore(const CoordinatorStart& start) {
  std::map<JobId, std::shared_ptr<JobEngine>> restored;
  ENTENTE_RETURN_IF_ERROR(
      deps_.journal->Replay([&](const store::JournalEntry& entry) -> absl::Status {
        if (const auto it = restored.find(entry.job); it != restored.end()) {
          return it->second->Replay(entry);
        }
        ENTENTE_ASSIGN_OR_RETURN(std::shared_ptr<JobEngine> job, JobEngine::Restore(deps_, entry));
        restored.emplace(entry.job, job);
        Add(std::move(job));
        return absl::OkStatus();
      }));
  // A crash may have come between the end of an attempt and the removal of its updates.
  std::vector<updates::AttemptKey> in_flight;
  std::vector<JobId> known;
  std::map<JobId, std::map<WorkerId, std::string>> lost;
  for (const auto& [id, job] : restored) {
    known.push_back(id);
    const JobView view = job->View();
    if (view.state->HasEnded()) continue;
    in_flight.push_back({.job = id,
                         .round_index = view.state->round.round_index,
                         .attempt = view.state->round.attempt});
    ENTENTE_RETURN_IF_ERROR(
        updates::CheckSpoolIsNotAhead(*deps_.files, deps_.spool->folder(), in_flight.back()));
    ENTENTE_RETURN_IF_ERROR(CheckModelFiles(view, *deps_.models, *deps_.files));
    lost[id] = LostUpdates(id, view.state->round, *deps_.spool, *deps_.files);
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<std::string> unknown, deps_.spool->SetAside(known));
  for (const std::string& folder : unknown) {
    log::Warning(
        "updates of a job that the journal does not know were set aside; is it the right journal?",
        {{"folder", folder}});
  }
  ENTENTE_RETURN_IF_ERROR(deps_.spool->KeepOnly(in_flight));
  for (const auto& [id, job] : restored) {
    const std::shared_ptr<const jobs::JobState> state = job->View().state;
    if (state->HasEnded()) continue;
    const log::Scope scope(LogFieldsOf(job->description(), state->round.round_index));
    log::Info("job goes on after the start");
    job->NoteStart(start);
    RestoreRoundedModels(*job);
    job->Resume(std::move(lost[id]));
  }
  return absl::OkStatus();
}

absl::StatusOr<SubmitOutcome> JobDirectory::Submit(SubmitRequest request) {
  ENTENTE_RETURN_IF_ERROR(CheckRecipe(request.recipe));
  if (request.token.size() > limits::kTokenBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("the token has ", request.token.size(),
                                                   " bytes; at most ", limits::kTokenBytesMax,
                                                   " are taken"));
  }
  ENTENTE_RETURN_IF_ERROR(CheckFiles(request));
  ENTENTE_RETURN_IF_ERROR(RoundInitialModel(request));

  absl::MutexLock lock(&submit_mu_);
  ENTENTE_ASSIGN_OR_RETURN(SubmitOutcome known, FindByToken(request));
  if (known.job != nullptr) return known;
  uint32_t running = 0;
  for (const auto& job : All()) running += job->HasEnded() ? 0 : 1;
  if (running >= running_jobs_max_) {
    return absl::ResourceExhaustedError(
        absl::StrCat(running,
                     " jobs are running, as many as this coordinator takes; wait for one "
                     "to end or cancel one"));
  }
  JobDescription description{.id = NewId(request.recipe.name()),
                             .recipe = request.recipe,
                             .recipe_digest = RecipeDigest(request.recipe),
                             .submitter = request.submitter,
                             .token = request.token};
  // Each hop is a parent of its own. A job that came without a trace is told from its namesakes
  // elsewhere by the time.
  const std::string& id = description.id.value();
  description.trace =
      request.trace.has_value()
          ? request.trace->Child(id)
          : TraceContext::Named(absl::StrCat(id, " ", absl::ToUnixNanos(deps_.clock->Now())));
  ENTENTE_ASSIGN_OR_RETURN(std::shared_ptr<JobEngine> job,
                           JobEngine::Submit(deps_, std::move(description), request.initial_model));
  Add(job);
  job->Resume();  // Once it can be found: workers that attach are told to it.
  return SubmitOutcome{.job = std::move(job), .created = true};
}

absl::Status JobDirectory::CheckFiles(const SubmitRequest& request) const {
  const v1::Model& model = request.recipe.model();
  if (model.has_torchscript()) {
    ENTENTE_RETURN_IF_ERROR(
        CheckUploaded(*deps_.models, model.torchscript().digest(), "model.torchscript"));
  }
  ENTENTE_RETURN_IF_ERROR(
      CheckUploaded(*deps_.models, request.initial_model.ToHex(), "the initial model"));
  ENTENTE_ASSIGN_OR_RETURN(const auto reader, deps_.models->OpenModel(request.initial_model));
  return models::CheckModel(*reader);
}

absl::Status JobDirectory::RoundInitialModel(const SubmitRequest& request) {
  if (request.recipe.updates().download() != v1::Updates::DOWNLOAD_BF16) return absl::OkStatus();
  const std::string label = absl::StrCat("submission-", ++submission_count_);
  return models::RoundModel(*deps_.models, *deps_.files, request.initial_model, label).status();
}

void JobDirectory::RemoveDamagedCopy(const Digest& model) {
  const Digest rounded = deps_.models->RoundedOf(model);
  if (rounded.IsNone()) return;
  const std::string path = deps_.models->PathOf(rounded);
  const auto found = Sha256OfFile(*deps_.files, path);
  if (found.ok() && *found == rounded) return;
  log::Warning("a model's rounded copy is damaged; it is made again", {{"file", path}});
  deps_.files->Remove(path).IgnoreError();  // What stays is refused by who downloads it.
}

void JobDirectory::RestoreRoundedModels(const JobEngine& job) {
  if (job.description().recipe.updates().download() != v1::Updates::DOWNLOAD_BF16) return;
  const rounds::RoundState round = job.View().state->round;
  for (const Digest& model : {round.base_model, round.model}) {
    if (model.IsNone()) continue;
    RemoveDamagedCopy(model);
    const auto rounded = models::RoundModel(*deps_.models, *deps_.files, model, "restore");
    if (rounded.ok()) continue;
    log::Warning("a model cannot be rounded; workers download it as it is",
                 {{"job", job.description().id.value()},
                  {"model", model.ToHex()},
                  {"reason", std::string(rounded.status().message())}});
  }
}

absl::StatusOr<SubmitOutcome> JobDirectory::FindByToken(const SubmitRequest& request) const {
  if (request.token.empty()) return SubmitOutcome{};
  for (const std::shared_ptr<JobEngine>& job : All()) {
    const JobDescription& known = job->description();
    if (known.token != request.token || known.submitter != request.submitter) continue;
    if (known.recipe_digest == RecipeDigest(request.recipe) &&
        job->View().state->initial_model == request.initial_model) {
      return SubmitOutcome{.job = job, .created = false};
    }
    return absl::AlreadyExistsError(
        absl::StrCat("the token \"", request.token, "\" was used for job ", known.id.value(),
                     " with another recipe or model; use a new token for a new job"));
  }
  return SubmitOutcome{};
}

JobId JobDirectory::NewId(const std::string& name) {
  // Letters and digits that are not mistaken for one another when read aloud.
  static constexpr absl::string_view kAlphabet = "23456789abcdefghjkmnpqrstuvwxyz";
  // Short to type, and with 31^6 of them hardly ever drawn twice.
  constexpr int kSuffixLetters = 6;
  while (true) {
    std::string suffix;
    uint64_t bits = random_.Next();
    for (int i = 0; i < kSuffixLetters; ++i, bits /= kAlphabet.size()) {
      suffix.push_back(kAlphabet[bits % kAlphabet.size()]);
    }
    JobId id(absl::StrCat(name, "-", suffix));
    if (!Find(id).ok()) return id;
  }
}

void JobDirectory::Add(std::shared_ptr<JobEngine> job) {
  absl::MutexLock lock(&mu_);
  in_order_.push_back(job->description().id);
  jobs_.emplace(job->description().id, std::move(job));
}

absl::StatusOr<std::shared_ptr<JobEngine>> JobDirectory::Find(const JobId& id) const {
  absl::MutexLock lock(&mu_);
  const auto it = jobs_.find(id);
  if (it == jobs_.end()) {
    return absl::NotFoundError(absl::StrCat("there is no job \"", id.value(),
                                            "\"; `entente job list` shows those there are"));
  }
  return it->second;
}

std::vector<std::shared_ptr<JobEngine>> JobDirectory::All() const {
  absl::MutexLock lock(&mu_);
  std::vector<std::shared_ptr<JobEngine>> all;
  for (auto it = in_order_.rbegin(); it != in_order_.rend(); ++it) all.push_back(jobs_.at(*it));
  return all;
}

std::set<WorkerId> JobDirectory::RecentParticipants() const {
  std::set<WorkerId> workers;
  for (const std::shared_ptr<JobEngine>& job : All()) {
    if (job->HasEnded()) continue;
    const auto rounds = job->Rounds();  // The one in flight is the last.
    const size_t oldest = rounds.size() - std::min<size_t>(rounds.size(), 2);
    for (size_t i = oldest; i < rounds.size(); ++i) {
      for (const auto& [worker, participant] : rounds[i]->participants) workers.insert(worker);
    }
  }
  return workers;
}

void JobDirectory::OnWorkerAttached(const WorkerId& worker) {
  for (const std::shared_ptr<JobEngine>& job : All()) {
    if (!job->HasEnded()) job->OnWorkerAttached(worker);
  }
}

void JobDirectory::OnWorkerDetached(const WorkerId& worker) {
  for (const std::shared_ptr<JobEngine>& job : All()) {
    if (!job->HasEnded()) job->OnWorkerDetached(worker);
  }
}

void JobDirectory::WhenCaughtUp(std::function<void()> done) {
  // Shared by the jobs that have not caught up; the last to let go of it calls.
  const std::shared_ptr<void> waiting(nullptr, [done = std::move(done)](void*) { done(); });
  for (const std::shared_ptr<JobEngine>& job : All()) {
    if (!job->HasEnded()) job->WhenCaughtUp([waiting] {});
  }
}

}  // namespace entente::engine
