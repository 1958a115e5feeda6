// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/worker_message.h"

#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/config/away_text.h"
#include "common/recipe/recipe_encoding.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/repeated_field.h"

namespace entente::service {
namespace {

constexpr int kDatasetsMax = 1000;
constexpr int kWordsMax = 100;
constexpr size_t kWordBytesMax = 100;

std::string CutReason(absl::string_view text) {
  return std::string(ClipUtf8(text, limits::kReasonBytesMax));
}

absl::Status CheckMetrics(const v1::Metrics& metrics) {
  if (metrics.examples() == 0 || !std::isfinite(metrics.loss())) {
    return absl::InvalidArgumentError("an evaluation needs examples and a finite loss");
  }
  // Written so that a NaN fails it.
  if (metrics.has_accuracy() && !(metrics.accuracy() >= 0 && metrics.accuracy() <= 1)) {
    return absl::InvalidArgumentError("an accuracy must be 0 to 1");
  }
  return absl::OkStatus();
}

rounds::Metrics FromProto(const v1::Metrics& proto) {
  rounds::Metrics metrics{
      .examples = proto.examples(), .loss = proto.loss(), .accuracy = std::nullopt};
  if (proto.has_accuracy()) metrics.accuracy = proto.accuracy();
  return metrics;
}

// "job-id round 3"
std::string TaskName(const v1::TaskKey& key) {
  return absl::StrCat(key.job_id(), " round ", key.round_index() + 1);
}

void OnProgress(const ServiceContext& context, engine::JobEngine& job, const WorkerId& worker,
                const v1::TaskProgress& progress) {
  const std::string activity(ClipUtf8(progress.activity(), kWordBytesMax));
  context.workers->SetActivity(worker, absl::StrCat(activity, " ", TaskName(progress.key())),
                               progress.step(), progress.step_count());
  job.OnProgress(worker, progress.key(),
                 {.activity = activity,
                  .step = progress.step(),
                  .step_count = progress.step_count(),
                  .loss = std::isfinite(progress.loss()) ? progress.loss() : 0});
}

v1::Away Clipped(const v1::Away& away) {
  v1::Away clipped = away;
  clipped.set_reason(CutReason(ToValidUtf8(away.reason())));
  return clipped;
}

absl::Status OnPresence(const ServiceContext& context, const WorkerSpeaker& speaker,
                        const v1::WorkerMessage& message) {
  std::optional<v1::Away> away;
  if (message.has_away()) {
    if (absl::Status status = CheckAway(message.away()); !status.ok()) return status;
    away = Clipped(message.away());
  }
  if (away.has_value()) {
    log::Info("worker is away", {{"worker", speaker.id.value()}, {"reason", AwayText(*away)}});
  } else if (context.workers->AwayOf(speaker.id).has_value()) {
    // Whoever attaches says so as well, to a coordinator that may know otherwise.
    log::Info("worker is back", {{"worker", speaker.id.value()}});
  }
  context.workers->SetAway(speaker.id, speaker.connection, std::move(away));
  return absl::OkStatus();
}

// Whether it is of a kind that this program is too old to know.
bool IsNewer(const v1::WorkerMessage& message) {
  return message.kind_case() == v1::WorkerMessage::KIND_NOT_SET &&
         !message.GetReflection()->GetUnknownFields(message).empty();
}

const v1::TaskKey* KeyOf(const v1::WorkerMessage& message) {
  switch (message.kind_case()) {
    case v1::WorkerMessage::kAccepted:
      return &message.accepted().key();
    case v1::WorkerMessage::kDeclined:
      return &message.declined().key();
    case v1::WorkerMessage::kProgress:
      return &message.progress().key();
    case v1::WorkerMessage::kFailed:
      return &message.failed().key();
    case v1::WorkerMessage::kEvaluated:
      return &message.evaluated().key();
    default:
      return nullptr;
  }
}

// `message` is one that KeyOf knows, and checked.
void TellJob(const ServiceContext& context, engine::JobEngine& job, const WorkerId& worker,
             const v1::TaskKey& key, const v1::WorkerMessage& message) {
  switch (message.kind_case()) {
    case v1::WorkerMessage::kAccepted:
      job.OnTaskAccepted(worker, key);
      break;
    case v1::WorkerMessage::kDeclined: {
      const v1::TaskDeclined& declined = message.declined();
      context.workers->SetActivity(worker, "");
      job.OnTaskDeclined(worker, key,
                         declined.rule().empty()
                             ? CutReason(declined.reason())
                             : absl::StrCat("rule ", ClipUtf8(declined.rule(), kWordBytesMax), ": ",
                                            CutReason(declined.reason())));
      break;
    }
    case v1::WorkerMessage::kFailed:
      context.workers->SetActivity(worker, "");
      job.OnTaskFailed(worker, key, CutReason(message.failed().reason()),
                       message.failed().may_return());
      break;
    case v1::WorkerMessage::kEvaluated:
      context.workers->SetActivity(worker, "");
      job.OnEvaluated(worker, key, FromProto(message.evaluated().metrics()));
      break;
    default:
      OnProgress(context, job, worker, message.progress());
      break;
  }
}

// A newer worker's number may be none of ours; no recipe here asks for it.
template <typename Enum>
std::vector<Enum> ValuesKnown(const google::protobuf::RepeatedField<int>& numbers) {
  std::vector<Enum> known;
  for (const int number : numbers) {
    if (google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(number) != nullptr) {
      known.push_back(static_cast<Enum>(number));
    }
  }
  return known;
}

}  // namespace

absl::Status CheckHello(const v1::Hello& hello, absl::string_view version) {
  if (hello.protocol_version() != limits::kProtocolVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the worker speaks protocol ", hello.protocol_version(), ".", hello.protocol_minor(),
        ", this coordinator protocol ", limits::kProtocolVersion, ".", limits::kProtocolMinor,
        "; install entente-worker ", version, ", the coordinator's version"));
  }
  if (absl::Status status = CheckAway(hello.away()); !status.ok()) return status;
  if (hello.datasets_size() > kDatasetsMax) {
    return absl::InvalidArgumentError(absl::StrCat("a worker may offer ", kDatasetsMax,
                                                   " data sets, not ", hello.datasets_size()));
  }
  for (const std::string& dataset : hello.datasets()) {
    if (dataset.empty() || dataset.size() > kWordBytesMax) {
      return absl::InvalidArgumentError("a data set's name has 1 to 100 bytes");
    }
  }
  for (const auto& [what, size] : {std::pair("encodings", hello.encodings_size()),
                                   std::pair("downloads", hello.downloads_size()),
                                   std::pair("compressions", hello.compressions_size())}) {
    if (size <= kWordsMax) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("a worker may name ", kWordsMax, " ", what, ", not ", size));
  }
  if (hello.version().size() > kWordBytesMax || hello.sandbox().size() > kWordBytesMax) {
    return absl::InvalidArgumentError("version and sandbox have at most 100 bytes");
  }
  return absl::OkStatus();
}

members::WorkerDescription DescriptionOf(const v1::Hello& hello,
                                         absl::Time certificate_expires_at) {
  members::WorkerDescription description{
      .version = hello.version(),
      .datasets = {hello.datasets().begin(), hello.datasets().end()},
      .sandbox = hello.sandbox(),
      .encodings = EncodingsOf(hello),
      .downloads = DownloadsOf(hello),
      .compressions = CompressionsOf(hello),
      .protocol_minor = hello.protocol_minor(),
      .away = std::nullopt,
      .certificate_expires_at = certificate_expires_at};
  if (hello.has_away()) description.away = Clipped(hello.away());
  return description;
}

std::vector<v1::Updates::Encoding> EncodingsOf(const v1::Hello& hello) {
  if (hello.encodings().empty()) return FirstEncodings();
  auto encodings = ValuesKnown<v1::Updates::Encoding>(hello.encodings());
  std::erase(encodings, v1::Updates::ENCODING_TOPK);  // An older form of it; see the field.
  if (hello.writes_topk()) encodings.push_back(v1::Updates::ENCODING_TOPK);
  return encodings;
}

std::vector<v1::Updates::Download> DownloadsOf(const v1::Hello& hello) {
  return ValuesKnown<v1::Updates::Download>(hello.downloads());
}

std::vector<v1::Updates::Compression> CompressionsOf(const v1::Hello& hello) {
  return ValuesKnown<v1::Updates::Compression>(hello.compressions());
}

absl::Status DispatchWorkerMessage(const ServiceContext& context, const WorkerSpeaker& speaker,
                                   const v1::WorkerMessage& message, std::function<void()> done) {
  if (message.has_heartbeat() || IsNewer(message)) {
    done();
    return absl::OkStatus();
  }
  if (message.has_away() || message.has_back()) {
    ENTENTE_RETURN_IF_ERROR(OnPresence(context, speaker, message));
    context.jobs->WhenCaughtUp(std::move(done));
    return absl::OkStatus();
  }
  const v1::TaskKey* const key = KeyOf(message);
  if (key == nullptr) return absl::InvalidArgumentError("a message of a kind that is not known");
  if (message.has_evaluated()) {
    if (absl::Status status = CheckMetrics(message.evaluated().metrics()); !status.ok()) {
      return status;
    }
  }
  const auto job = context.jobs->Find(JobId(key->job_id()));
  if (!job.ok()) {
    done();
    return absl::OkStatus();
  }
  TellJob(context, **job, speaker.id, *key, message);
  (*job)->WhenCaughtUp(std::move(done));
  return absl::OkStatus();
}

}  // namespace entente::service
