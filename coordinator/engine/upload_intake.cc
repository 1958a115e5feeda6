// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/upload_intake.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/codec/update_encoding.h"
#include "common/tensor/safetensors.h"
#include "common/transfer/incoming_file.h"
#include "coordinator/engine/aggregation_run.h"
#include "coordinator/engine/transfer_permission.h"
#include "coordinator/jobs/job_plan.h"
#include "coordinator/models/model_check.h"
#include "coordinator/updates/update_validator.h"

namespace entente::engine {

namespace {

// Between two looks for parts of models that nobody goes on with.
constexpr absl::Duration kPartsPause = absl::Minutes(1);

// The model that updates of the round start from. That it cannot be opened is this coordinator's
// own trouble and says nothing about an update, which its worker must keep.
absl::StatusOr<std::unique_ptr<SafetensorsReader>> OpenBase(const models::ModelStore& models,
                                                            const Digest& base) {
  auto model = models.OpenModel(base);
  if (model.ok()) return model;
  return absl::UnavailableError(absl::StrCat("the coordinator cannot read the round's base model ",
                                             base.ToHex(), " (", model.status().message(),
                                             "); the update is taken once its operator has put the "
                                             "model back"));
}

// The bytes were accepted earlier and only the receipt was lost.
class StoredUpload final : public Upload {
 public:
  explicit StoredUpload(uint64_t total_bytes) : total_bytes_(total_bytes) {}
  bool already_stored() const override { return true; }
  uint64_t offset() const override { return total_bytes_; }
  // The sender may not know it yet. What it sends is as little as the whole, all the same.
  absl::Status Append(uint64_t offset, absl::string_view data) override {
    if (offset < next_ || offset > total_bytes_ || data.size() > total_bytes_ - offset) {
      return absl::OutOfRangeError("all of it was accepted already; ask for the offset");
    }
    next_ = offset + data.size();
    return absl::OkStatus();
  }
  void Seal(std::function<void(absl::Status)> done) override { done(absl::OkStatus()); }

 private:
  const uint64_t total_bytes_;
  uint64_t next_ = 0;
};

class UpdateUpload final : public Upload {
 public:
  struct Parts {
    updates::IncomingUpdate incoming;
    updates::SpoolKey key;
    updates::UpdateSpool* spool = nullptr;
    std::shared_ptr<JobEngine> job;
    ArrivedUpdate update;
    UploadClaim claim;
    const models::ModelStore* models = nullptr;
  };
  UpdateUpload(Parts parts, FileSystem* files) : parts_(std::move(parts)), files_(*files) {}

  bool already_stored() const override { return false; }
  uint64_t offset() const override { return parts_.incoming.file->offset(); }
  absl::Status Append(uint64_t offset, absl::string_view data) override {
    const absl::Status status = parts_.incoming.file->Append(offset, data);
    parts_.incoming.space.SetPresent(parts_.incoming.file->offset());
    return Explained(status);
  }

  void SetSentBytes(uint64_t bytes) override {
    rounds::UpdateRecord& record = parts_.update.record;
    record.sent_bytes = bytes == record.bytes ? 0 : bytes;
  }

  void Seal(std::function<void(absl::Status)> done) override {
    const absl::Status checked = parts_.incoming.file->CheckDigest(parts_.update.record.digest);
    if (!checked.ok()) return done(checked);
    // The round may have moved on while the bytes travelled, and taken the part with it.
    const absl::StatusOr<UploadVerdict> verdict = CheckUpload(*parts_.job, parts_.claim);
    if (!verdict.ok() || *verdict == UploadVerdict::kAlreadyAccepted) {
      // A part that stays is removed with its round.
      parts_.incoming.file->Discard().IgnoreError();
      return done(verdict.status());
    }
    // Before the sync: the disk writes meanwhile, and what is refused is not waited for.
    const absl::StatusOr<updates::ValidUpdate> valid = Validate();
    absl::Status status = valid.status();
    if (absl::IsInvalidArgument(status)) {
      const rounds::UpdateRecord& record = parts_.update.record;
      parts_.job->RefuseUpdate(parts_.update.worker, parts_.claim.key,
                               {.digest = record.digest, .bytes = record.bytes},
                               std::string(status.message()));
      parts_.incoming.file->Discard().IgnoreError();
    }
    if (status.ok()) status = parts_.incoming.file->Sync();
    if (status.ok()) status = parts_.incoming.file->Commit();
    if (!status.ok()) return done(Explained(status));
    parts_.update.record.norm = valid->norm;
    parts_.job->AcceptUpdate(
        parts_.update, [spool = parts_.spool, job = parts_.job, claim = parts_.claim,
                        key = parts_.key, done = std::move(done)](const absl::Status& accepted) {
          done(accepted.ok() ? accepted : AfterRefusal(accepted, *job, claim, key, *spool));
        });
  }

 private:
  static absl::Status AfterRefusal(const absl::Status& refusal, const JobEngine& job,
                                   const UploadClaim& claim, const updates::SpoolKey& key,
                                   updates::UpdateSpool& spool) {
    // Another stream with the very same bytes may have come in first: the file is its.
    const absl::StatusOr<UploadVerdict> now = CheckUpload(job, claim);
    if (now.ok() && *now == UploadVerdict::kAlreadyAccepted) return absl::OkStatus();
    // The round closed meanwhile: nobody will ever read the file. But if it is the journal that
    // failed, the event may be in it all the same, and then the next start wants the file.
    if (!absl::IsUnavailable(refusal) && !absl::IsResourceExhausted(refusal)) spool.Drop(key);
    return refusal;
  }

  // `status`, as the worker has to know it. A disk that has filled meanwhile is noted in the round,
  // as one without room is when the upload is opened. If the part is gone, so is its folder, for
  // the round has ended.
  absl::Status Explained(const absl::Status& status) const {
    if (absl::IsResourceExhausted(status)) {
      parts_.job->PutOffUpdate(parts_.update.worker, parts_.claim.key,
                               std::string(status.message()));
    }
    if (absl::IsNotFound(status)) {
      ENTENTE_RETURN_IF_ERROR(CheckUpload(*parts_.job, parts_.claim).status());
    }
    return status;
  }

  absl::StatusOr<updates::ValidUpdate> Validate() const {
    const jobs::AggregationPlan plan = jobs::AggregationPlanOf(parts_.job->description().recipe);
    ENTENTE_ASSIGN_OR_RETURN(const auto base, OpenBase(*parts_.models, parts_.claim.base_model));
    return updates::ValidateUpdate(
        files_, parts_.incoming.file->part_path(),
        {.model = &base->layout(), .encoding = plan.encoding, .value_bound = plan.value_bound});
  }

  Parts parts_;
  FileSystem& files_;
};

// What makes an update unfit before a byte of it has come; empty if nothing does. `forms` are those
// that it may have.
std::string HeaderFault(const v1::UploadHeader& header, const std::vector<UpdateForm>& forms) {
  const v1::UpdateDescription& description = header.update();
  if (description.examples() == 0) return "it was trained on zero examples";
  if (!std::isfinite(description.training_loss())) return "its training loss is not finite";
  const bool has_right_size = std::any_of(
      forms.begin(), forms.end(),
      [&header](const UpdateForm& form) { return form.file_bytes() == header.total_bytes(); });
  if (has_right_size) return "";
  return absl::StrCat("it has ", header.total_bytes(), " bytes, but an update of this model has ",
                      SizesText(forms));
}

class BlobUpload final : public Upload {
 public:
  BlobUpload(std::unique_ptr<IncomingFile> file, updates::SpaceReservation space, Digest digest,
             v1::BlobDescription::Content content, FileSystem* files)
      : file_(std::move(file)),
        space_(std::move(space)),
        digest_(digest),
        content_(content),
        files_(*files) {}

  bool already_stored() const override { return false; }
  uint64_t offset() const override { return file_->offset(); }
  absl::Status Append(uint64_t offset, absl::string_view data) override {
    absl::Status status = file_->Append(offset, data);
    space_.SetPresent(file_->offset());
    return status;
  }
  void Seal(std::function<void(absl::Status)> done) override {
    absl::Status status = file_->CheckDigest(digest_);
    if (status.ok()) {
      status = CheckContent();
      // What could not be read may be as it should.
      if (absl::IsInvalidArgument(status)) file_->Discard().IgnoreError();
    }
    if (status.ok()) status = file_->Sync();
    if (status.ok()) status = file_->Commit();
    done(status);
  }

 private:
  absl::Status CheckContent() const {
    if (content_ == v1::BlobDescription::CONTENT_MODEL) {
      ENTENTE_ASSIGN_OR_RETURN(const auto reader,
                               SafetensorsReader::Open(files_, file_->part_path()));
      return models::CheckModel(*reader);
    }
    // A TorchScript program is a ZIP archive. More than that only LibTorch can tell: the trainer
    // does, in its sandbox.
    ENTENTE_ASSIGN_OR_RETURN(const auto file, files_.OpenForRead(file_->part_path()));
    std::string magic(std::min<uint64_t>(file->size_bytes(), 4), '\0');
    ENTENTE_RETURN_IF_ERROR(file->ReadAt(0, absl::MakeSpan(magic.data(), magic.size())));
    if (magic != absl::string_view("PK\3\4", 4)) {
      return absl::InvalidArgumentError("model.torchscript is not a TorchScript file");
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<IncomingFile> file_;
  updates::SpaceReservation space_;  // Ends before the file's lease does.
  const Digest digest_;
  const v1::BlobDescription::Content content_;
  FileSystem& files_;
};

}  // namespace

UploadIntake::UploadIntake(const Dependencies& dependencies) : deps_(dependencies) {}

absl::StatusOr<models::ModelStore::Parts> UploadIntake::RemovePartsBeyond(size_t kept_max) {
  ENTENTE_ASSIGN_OR_RETURN(
      models::ModelStore::Parts parts,
      deps_.models->RemoveParts(deps_.clock->Now() - limits::kModelPartAgeMax, kept_max));
  for (const std::string& path : parts.removed) deps_.spool->space().Forget(path);
  if (!parts.removed.empty()) {
    log::Info("parts of models that nobody went on with were removed",
              {{"parts", parts.removed.size()}, {"kept", parts.kept.size()}});
  }
  return parts;
}

absl::Status UploadIntake::CountParts() {
  ENTENTE_ASSIGN_OR_RETURN(const models::ModelStore::Parts parts,
                           RemovePartsBeyond(limits::kModelPartsMax));
  for (const std::string& path : parts.kept) {
    deps_.spool->space().AddPresent(path, updates::SpaceLedger::Account::kDisk);
  }
  return absl::OkStatus();
}

void UploadIntake::RemoveOldParts() {
  const absl::Time now = deps_.clock->Now();
  const bool too_many = deps_.spool->space().part_count() >= limits::kModelPartsMax;
  {
    absl::MutexLock lock(&mu_);
    if (!too_many && absl::AbsDuration(now - parts_looked_at_) < kPartsPause) return;
    parts_looked_at_ = now;
  }
  // Half of them, so that not every upload has to look again.
  const auto parts =
      RemovePartsBeyond(too_many ? limits::kModelPartsMax / 2 : limits::kModelPartsMax);
  if (!parts.ok()) {
    log::Warning("old parts of models could not be removed",
                 {{"reason", std::string(parts.status().message())}});
  }
}

absl::Status UploadIntake::CheckSize(uint64_t total_bytes) const {
  if (total_bytes == 0) return absl::InvalidArgumentError("an upload of 0 bytes was announced");
  if (total_bytes > deps_.blob_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("an upload of ", total_bytes, " bytes was announced; this coordinator takes ",
                     deps_.blob_bytes_max, " (limits.blobBytesMax)"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Upload>> UploadIntake::OpenUpdate(const WorkerId& worker,
                                                                 const v1::UploadHeader& header) {
  const v1::UpdateDescription& description = header.update();
  const v1::TaskKey& key = description.key();
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(header.digest()));
  ENTENTE_ASSIGN_OR_RETURN(const Digest base, Digest::FromHex(description.base_model_digest()));
  ENTENTE_ASSIGN_OR_RETURN(std::shared_ptr<JobEngine> job, deps_.jobs->Find(JobId(key.job_id())));
  const UploadClaim claim{.worker = worker, .key = key, .base_model = base, .update = digest};
  ENTENTE_ASSIGN_OR_RETURN(const UploadVerdict verdict, CheckUpload(*job, claim));
  if (verdict == UploadVerdict::kAlreadyAccepted) {
    ENTENTE_RETURN_IF_ERROR(CheckSize(header.total_bytes()));
    return std::make_unique<StoredUpload>(header.total_bytes());
  }

  const jobs::AggregationPlan plan = jobs::AggregationPlanOf(job->description().recipe);
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<SafetensorsReader> base_model,
                           OpenBase(*deps_.models, base));
  const std::vector<UpdateForm> forms = AcceptedForms(base_model->layout(), plan.encoding);
  if (const std::string fault = HeaderFault(header, forms); !fault.empty()) {
    job->RefuseUpdate(worker, key, {.digest = digest, .bytes = header.total_bytes()}, fault);
    return absl::InvalidArgumentError(absl::StrCat("the update was refused: ", fault));
  }
  ENTENTE_RETURN_IF_ERROR(CheckSize(header.total_bytes()));

  const updates::SpoolKey spool_key{.job = job->description().id,
                                    .round_index = key.round_index(),
                                    .attempt = key.attempt(),
                                    .worker = worker,
                                    .digest = digest};
  // An update that leaves no room for what is made of it is of no use to anybody.
  const uint64_t reserve =
      deps_.free_bytes_min + std::min(OutputBytes(*base_model, plan.optimizer, plan.downloads_bf16),
                                      std::numeric_limits<uint64_t>::max() - deps_.free_bytes_min);
  auto received = deps_.spool->Receive(spool_key, header.total_bytes(), reserve);
  if (absl::IsResourceExhausted(received.status())) {
    RemoveOldParts();  // The next try finds what this makes room.
    job->PutOffUpdate(worker, key, std::string(received.status().message()));
  }
  ENTENTE_ASSIGN_OR_RETURN(updates::IncomingUpdate incoming, std::move(received));
  // The round may have ended, and its folder gone, before Receive made the folder anew.
  if (const auto still = CheckUpload(*job, claim); !still.ok()) {
    incoming.file->Discard().IgnoreError();
    return still.status();
  }
  ArrivedUpdate update{.worker = worker,
                       .round_index = key.round_index(),
                       .attempt = key.attempt(),
                       .record = {.digest = digest,
                                  .bytes = header.total_bytes(),
                                  .examples = description.examples(),
                                  .training_loss = description.training_loss()}};
  return std::make_unique<UpdateUpload>(UpdateUpload::Parts{.incoming = std::move(incoming),
                                                            .key = spool_key,
                                                            .spool = deps_.spool,
                                                            .job = std::move(job),
                                                            .update = std::move(update),
                                                            .claim = claim,
                                                            .models = deps_.models},
                                        deps_.files);
}

absl::StatusOr<std::unique_ptr<Upload>> UploadIntake::OpenBlob(const v1::UploadHeader& header) {
  ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(header.digest()));
  const v1::BlobDescription::Content content = header.blob().content();
  if (content != v1::BlobDescription::CONTENT_MODEL &&
      content != v1::BlobDescription::CONTENT_TORCHSCRIPT) {
    return absl::InvalidArgumentError(
        "the upload does not say what it is: set blob.content to CONTENT_MODEL or "
        "CONTENT_TORCHSCRIPT");
  }
  ENTENTE_RETURN_IF_ERROR(CheckSize(header.total_bytes()));
  if (deps_.models->Contains(digest)) return std::make_unique<StoredUpload>(header.total_bytes());
  RemoveOldParts();
  ENTENTE_ASSIGN_OR_RETURN(
      updates::SpaceReservation space,
      deps_.spool->space().Reserve({.path = deps_.models->PathOf(digest),
                                    .what = digest.ToHex(),
                                    .total_bytes = header.total_bytes(),
                                    .free_bytes_min = deps_.free_bytes_min,
                                    .account = updates::SpaceLedger::Account::kDisk}));
  // The ledger has looked at the disk already.
  ENTENTE_ASSIGN_OR_RETURN(
      std::unique_ptr<IncomingFile> file,
      deps_.models->Receive(digest, header.total_bytes(), /*free_bytes_min=*/0));
  return std::make_unique<BlobUpload>(std::move(file), std::move(space), digest, content,
                                      deps_.files);
}

}  // namespace entente::engine
