// SPDX-License-Identifier: Apache-2.0
#include "worker/session/coordinator_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/retry.h"
#include "common/base/status_macros.h"
#include "common/base/utf8.h"
#include "common/config/proto_time.h"
#include "common/rpc/grpc_words.h"

namespace entente::worker {
namespace {

constexpr absl::Duration kHeartbeatMin = absl::Milliseconds(10);
constexpr absl::Duration kHeartbeatMax = absl::Hours(1);
constexpr size_t kWorkerIdBytesMax = 128;
constexpr absl::Duration kComplaintInterval = absl::Minutes(5);

// Time that never jumps, for silence and intervals.
absl::Time SteadyNow() { return SteadyClock().Now(); }

// What came with the protocol's second number; see limits::kProtocolMinor.
bool IsSpoken(const v1::WorkerMessage& message, uint32_t peer_minor) {
  return !(message.has_away() || message.has_back()) || peer_minor >= limits::kProtocolMinorOfAway;
}

}  // namespace

absl::Status CheckWelcome(const v1::Welcome& welcome) {
  if (welcome.protocol_version() == limits::kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the coordinator speaks protocol ", welcome.protocol_version(), ".", welcome.protocol_minor(),
      ", this worker protocol ", limits::kProtocolVersion, ".", limits::kProtocolMinor,
      "; install entente-worker ", welcome.version(), ", the coordinator's version"));
}

CoordinatorLink::CoordinatorLink(std::shared_ptr<grpc::Channel> channel, RandomSource* random,
                                 CoordinatorLinkOptions options)
    : channel_(std::move(channel)),
      stub_(v1::WorkerService::NewStub(channel_)),
      random_(*random),
      options_(std::move(options)) {}

CoordinatorLink::~CoordinatorLink() { Stop("the worker is stopping"); }

void CoordinatorLink::Start(TaskListener* listener) {
  listener_ = listener;
  thread_ = std::thread([this] { Run(); });
}

void CoordinatorLink::Send(v1::WorkerMessage message) {
  absl::MutexLock lock(&mu_);
  if (!is_attached_ || stream_ == nullptr || !IsSpoken(message, peer_minor_)) return;
  stream_->Send(std::move(message));
}

void CoordinatorLink::Stop(const std::string& reason) {
  {
    absl::MutexLock lock(&mu_);
    if (!is_stopping_) stop_reason_ = reason;
    is_stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void CoordinatorLink::Run() {
  Backoff backoff(limits::kBackoffFirst, limits::kBackoffMax, &random_);
  while (true) {
    const absl::Status ended = RunStream();
    {  // Before the explanation, which takes its time.
      absl::MutexLock lock(&mu_);
      if (is_stopping_) return;
    }
    if (SteadyNow() - attached_at_ >= options_.stable_time) backoff.Reset();
    Complain(Explain(ended));
    absl::MutexLock lock(&mu_);
    const auto is_stopping = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_stopping_; };
    if (changed_.AwaitFor(&mu_, backoff.Next(), is_stopping)) return;
  }
}

absl::Status CoordinatorLink::RunStream() {
  // The wait between tries is ours; gRPC's own would only add to it.
  grpc::experimental::ChannelResetConnectionBackoff(channel_.get());
  std::shared_ptr<ControlStream> stream = ControlStream::Open(
      stub_.get(),
      {.on_message = [this](v1::CoordinatorMessage message) { HandleMessage(std::move(message)); },
       .on_done = [this](const absl::Status& status) { HandleDone(status); }});
  {
    absl::MutexLock lock(&mu_);
    stream_ = stream;
  }
  attached_at_ = absl::InfiniteFuture();
  absl::Status ended = Greet();
  if (ended.ok()) {
    attached_at_ = SteadyNow();
    ended = StayAttached();
  }
  SayGoodbye();
  stream->Cancel();
  absl::MutexLock lock(&mu_);
  mu_.Await(absl::Condition(&is_done_));
  is_done_ = false;
  is_attached_ = false;
  stream_ = nullptr;
  return ended;
}

absl::Status CoordinatorLink::Greet() {
  v1::WorkerMessage message;
  *message.mutable_hello() = options_.hello;
  if (options_.complete_hello) options_.complete_hello(message.mutable_hello());
  absl::MutexLock lock(&mu_);
  misfit_ = absl::OkStatus();
  stream_->Send(std::move(message));
  const auto is_decided = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return is_attached_ || is_done_ || is_stopping_ || !misfit_.ok();
  };
  if (!changed_.AwaitFor(&mu_, options_.welcome_wait, is_decided)) {
    return absl::DeadlineExceededError(absl::StrCat("it did not answer our Hello within ",
                                                    absl::FormatDuration(options_.welcome_wait)));
  }
  if (!misfit_.ok()) return misfit_;
  return is_attached_ || is_stopping_ ? absl::OkStatus() : end_status_;
}

absl::Status CoordinatorLink::StayAttached() {
  absl::MutexLock lock(&mu_);
  if (is_stopping_) return absl::OkStatus();  // Perhaps before the Welcome.
  const auto is_over = [this]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_done_ || is_stopping_; };
  while (!changed_.AwaitFor(&mu_, silence_->due_at() - SteadyNow(), is_over)) {
    switch (silence_->Check(SteadyNow())) {
      case SilenceWatch::Verdict::kNotDue:
        break;
      case SilenceWatch::Verdict::kBeat: {
        v1::WorkerMessage message;
        message.mutable_heartbeat();
        stream_->Send(std::move(message));
        break;
      }
      case SilenceWatch::Verdict::kGiveUp:
        FinishStream();
        return absl::UnavailableError(
            absl::StrCat("it answered none of ", SilenceWatch::kUnansweredMax, " heartbeats, ",
                         absl::FormatDuration(heartbeat_interval_), " apart"));
    }
  }
  if (is_stopping_) return absl::OkStatus();
  if (!goodbye_.empty()) return absl::UnavailableError(absl::StrCat("it said goodbye: ", goodbye_));
  return end_status_.ok() ? absl::UnavailableError("it closed the connection") : end_status_;
}

void CoordinatorLink::SayGoodbye() {
  absl::MutexLock lock(&mu_);
  if (!is_stopping_ || !is_attached_) return;
  v1::WorkerMessage message;
  message.mutable_goodbye()->set_reason(stop_reason_);
  stream_->Send(std::move(message));
  FinishStream();
}

void CoordinatorLink::FinishStream() {
  stream_->FinishSending();
  changed_.AwaitFor(&mu_, options_.hang_up_wait,
                    [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_done_; });
}

void CoordinatorLink::HandleMessage(v1::CoordinatorMessage message) {
  {
    absl::MutexLock lock(&mu_);
    if (silence_.has_value()) silence_->Heard();
    const bool is_welcome = message.kind_case() == v1::CoordinatorMessage::kWelcome;
    if (is_stopping_ || (!is_attached_ && !is_welcome)) return;
  }
  switch (message.kind_case()) {
    case v1::CoordinatorMessage::kWelcome:
      HandleWelcome(message.welcome());
      break;
    case v1::CoordinatorMessage::kTask:
      listener_->HandleTask(std::move(*message.mutable_task()));
      break;
    case v1::CoordinatorMessage::kCancelled:
      listener_->HandleCancelled(message.cancelled());
      break;
    case v1::CoordinatorMessage::kJobEnded:
      listener_->HandleJobEnded(message.job_ended());
      break;
    case v1::CoordinatorMessage::kGoodbye: {
      absl::MutexLock lock(&mu_);
      goodbye_ = message.goodbye().reason();
      break;
    }
    case v1::CoordinatorMessage::kHeartbeat:
    case v1::CoordinatorMessage::KIND_NOT_SET:  // A newer coordinator's; not for us.
      break;
  }
}

void CoordinatorLink::HandleWelcome(const v1::Welcome& welcome) {
  if (absl::Status fits = CheckWelcome(welcome); !fits.ok()) {
    absl::MutexLock lock(&mu_);
    misfit_ = std::move(fits);
    changed_.SignalAll();
    return;
  }
  const absl::Duration interval =
      std::clamp(ToDuration(welcome.heartbeat_interval()), kHeartbeatMin, kHeartbeatMax);
  log::Info("attached", {{"coordinator", options_.coordinator},
                         {"as", welcome.worker_id()},
                         {"version", welcome.version()},
                         {"heartbeat", absl::FormatDuration(interval)}});
  {
    absl::MutexLock lock(&mu_);
    heartbeat_interval_ = interval;
    silence_.emplace(SteadyNow(), interval);
    goodbye_.clear();
    peer_minor_ = welcome.protocol_minor();
    is_attached_ = true;
    changed_.SignalAll();
  }
  listener_->HandleAttached(
      WorkerId(std::string(ClipUtf8(welcome.worker_id(), kWorkerIdBytesMax))));
  if (options_.on_attached) options_.on_attached();
}

void CoordinatorLink::HandleDone(const absl::Status& status) {
  absl::MutexLock lock(&mu_);
  end_status_ = status;
  is_attached_ = false;
  is_done_ = true;
  changed_.SignalAll();
}

std::string CoordinatorLink::Explain(const absl::Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown: {
      const absl::Status why = options_.explain();
      return why.ok() ? InPlainWords(status.message()) : std::string(why.message());
    }
    case absl::StatusCode::kUnimplemented:
      return "what listens there is not an entente-coordinator, or a much older one";
    default:
      return InPlainWords(status.message());
  }
}

void CoordinatorLink::Complain(const std::string& sentence) {
  const absl::Time now = SteadyNow();
  if (sentence == last_complaint_ && now - last_complaint_at_ < kComplaintInterval) return;
  last_complaint_ = sentence;
  last_complaint_at_ = now;
  log::Warning("not attached to the coordinator; trying again until it works",
               {{"coordinator", options_.coordinator}, {"reason", sentence}});
}

}  // namespace entente::worker
