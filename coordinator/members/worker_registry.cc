// SPDX-License-Identifier: Apache-2.0
#include "coordinator/members/worker_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace entente::members {
namespace {

bool Offers(const WorkerDescription& worker, absl::string_view dataset) {
  return std::find(worker.datasets.begin(), worker.datasets.end(), dataset) !=
         worker.datasets.end();
}

bool IsSame(const std::optional<v1::Away>& a, const std::optional<v1::Away>& b) {
  if (!a.has_value() || !b.has_value()) return a.has_value() == b.has_value();
  return a->SerializeAsString() == b->SerializeAsString();
}

}  // namespace

WorkerRegistry::WorkerRegistry(std::vector<MemberInfo> members, const Clock* clock,
                               uint32_t workers_max)
    : members_(std::move(members)),
      clock_(*clock),
      workers_max_(workers_max),
      listener_([](const WorkerId&, bool) {}),
      refusal_listener_([] {}) {}

void WorkerRegistry::SetListener(Listener listener) { listener_ = std::move(listener); }

void WorkerRegistry::SetRefusalListener(RefusalListener listener) {
  refusal_listener_ = std::move(listener);
}

const MemberInfo* WorkerRegistry::FindMember(const MemberId& id) const {
  const auto it = std::find_if(members_.begin(), members_.end(),
                               [&id](const MemberInfo& member) { return member.id == id; });
  return it == members_.end() ? nullptr : &*it;
}

absl::StatusOr<WorkerId> WorkerRegistry::WorkerOf(const PeerIdentity& identity) const {
  for (const MemberInfo& member : members_) {
    if (member.trust_domain == identity.trust_domain) {
      return WorkerId(absl::StrCat(member.id.value(), "/", identity.name));
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no member has the trust domain ", identity.trust_domain));
}

absl::Status WorkerRegistry::Attach(const WorkerId& worker, WorkerDescription description,
                                    std::shared_ptr<WorkerConnection> connection) {
  std::shared_ptr<WorkerConnection> replaced;
  {
    absl::MutexLock lock(&mu_);
    if (!closed_.ok()) return closed_;
    const auto it = workers_.find(worker);
    const bool was_attached = it != workers_.end() && it->second.connection != nullptr;
    if (!was_attached && attached_count_ >= workers_max_) {
      return absl::ResourceExhaustedError(
          absl::StrCat(workers_max_, " workers are attached, as many as this coordinator takes"));
    }
    Entry& entry = workers_[worker];
    replaced = std::exchange(entry.connection, std::move(connection));
    if (replaced == nullptr) ++attached_count_;
    entry.snapshot.id = worker;
    entry.snapshot.attached = true;
    entry.snapshot.never_attached = false;
    entry.snapshot.reason.clear();
    entry.snapshot.last_heard_at = clock_.Now();
    entry.snapshot.description = std::move(description);
  }
  if (replaced != nullptr) {
    replaced->Close(absl::AbortedError(
        "another connection with this worker's certificate has replaced this one"));
  }
  listener_(worker, true);
  return absl::OkStatus();
}

void WorkerRegistry::Detach(const WorkerId& worker, const WorkerConnection* connection,
                            std::string reason) {
  // The connection must not be destroyed under the lock.
  std::shared_ptr<WorkerConnection> released;
  {
    absl::MutexLock lock(&mu_);
    const auto it = workers_.find(worker);
    if (it == workers_.end() || it->second.connection.get() != connection) return;
    released = std::move(it->second.connection);
    it->second.connection = nullptr;
    --attached_count_;
    it->second.snapshot.attached = false;
    it->second.snapshot.detached_at = clock_.Now();
    it->second.snapshot.reason = std::move(reason);
    it->second.snapshot.activity.clear();
    it->second.snapshot.step = 0;
    it->second.snapshot.step_count = 0;
  }
  listener_(worker, false);
}

void WorkerRegistry::NoteRefused(const WorkerId& worker, const Refusal& refusal) {
  const std::string reason = absl::StrCat("refused: ", refusal.reason);
  {
    absl::MutexLock lock(&mu_);
    if (!closed_.ok()) return;
    auto it = workers_.find(worker);
    if (it == workers_.end()) {
      MakeRoomForRefused(MemberOf(worker));
      it = workers_.try_emplace(worker).first;
      it->second.snapshot.id = worker;
      it->second.snapshot.never_attached = true;
      it->second.snapshot.detached_at = clock_.Now();
    }
    if (it->second.connection != nullptr) return;
    WorkerSnapshot& snapshot = it->second.snapshot;
    snapshot.last_heard_at = clock_.Now();
    WorkerDescription& known = snapshot.description;
    const bool is_news = snapshot.reason != reason || known.version != refusal.version ||
                         known.certificate_expires_at != refusal.certificate_expires_at;
    if (!is_news) return;
    snapshot.reason = reason;
    known.version = refusal.version;
    known.certificate_expires_at = refusal.certificate_expires_at;
  }
  refusal_listener_();
}

void WorkerRegistry::NoteExpected(const WorkerId& worker) {
  if (FindMember(MemberOf(worker)) == nullptr) return;
  absl::MutexLock lock(&mu_);
  const auto [it, is_new] = workers_.try_emplace(worker);
  if (!is_new) return;
  WorkerSnapshot& snapshot = it->second.snapshot;
  snapshot.id = worker;
  snapshot.never_attached = true;
  snapshot.reason = "not attached since the coordinator's start";
  snapshot.last_heard_at = clock_.Now();
  snapshot.detached_at = snapshot.last_heard_at;
}

void WorkerRegistry::MakeRoomForRefused(const MemberId& member) {
  size_t count = 0;
  auto oldest = workers_.end();
  for (auto it = workers_.begin(); it != workers_.end(); ++it) {
    const WorkerSnapshot& snapshot = it->second.snapshot;
    if (!snapshot.never_attached || MemberOf(it->first) != member) continue;
    ++count;
    if (oldest == workers_.end() ||
        snapshot.last_heard_at < oldest->second.snapshot.last_heard_at) {
      oldest = it;
    }
  }
  if (count >= limits::kRefusedWorkersMax) workers_.erase(oldest);
}

std::vector<WorkerId> WorkerRegistry::AttachedWith(absl::string_view dataset) const {
  absl::MutexLock lock(&mu_);
  std::vector<WorkerId> found;
  for (const auto& [worker, entry] : workers_) {
    if (entry.connection != nullptr && Offers(entry.snapshot.description, dataset)) {
      found.push_back(worker);
    }
  }
  return found;
}

std::vector<WorkerId> WorkerRegistry::AvailableWith(absl::string_view dataset) const {
  std::vector<WorkerId> found = AttachedWith(dataset);
  std::erase_if(found, [this](const WorkerId& worker) { return AwayOf(worker).has_value(); });
  return found;
}

std::map<WorkerId, v1::Away> WorkerRegistry::AwayWith(absl::string_view dataset) const {
  absl::MutexLock lock(&mu_);
  std::map<WorkerId, v1::Away> found;
  for (const auto& [worker, entry] : workers_) {
    const WorkerDescription& description = entry.snapshot.description;
    if (description.away.has_value() && Offers(description, dataset)) {
      found[worker] = *description.away;
    }
  }
  return found;
}

void WorkerRegistry::SetAway(const WorkerId& worker, const WorkerConnection* connection,
                             std::optional<v1::Away> away) {
  {
    absl::MutexLock lock(&mu_);
    const auto it = workers_.find(worker);
    if (it == workers_.end() || it->second.connection.get() != connection) return;
    std::optional<v1::Away>& known = it->second.snapshot.description.away;
    if (IsSame(known, away)) return;
    known = std::move(away);
  }
  listener_(worker, true);
}

std::optional<v1::Away> WorkerRegistry::AwayOf(const WorkerId& worker) const {
  absl::MutexLock lock(&mu_);
  const auto it = workers_.find(worker);
  return it == workers_.end() ? std::nullopt : it->second.snapshot.description.away;
}

std::optional<absl::Time> WorkerRegistry::DetachedSince(const WorkerId& worker) const {
  absl::MutexLock lock(&mu_);
  const auto it = workers_.find(worker);
  if (it == workers_.end() || it->second.connection != nullptr) return std::nullopt;
  return it->second.snapshot.detached_at;
}

uint32_t WorkerRegistry::ProtocolMinorOf(const WorkerId& worker) const {
  absl::MutexLock lock(&mu_);
  const auto it = workers_.find(worker);
  return it == workers_.end() ? 0 : it->second.snapshot.description.protocol_minor;
}

template <typename Value>
bool WorkerRegistry::Said(const WorkerId& worker, std::vector<Value> WorkerDescription::*list,
                          Value value) const {
  absl::MutexLock lock(&mu_);
  const auto it = workers_.find(worker);
  if (it == workers_.end()) return false;
  const std::vector<Value>& said = it->second.snapshot.description.*list;
  return std::find(said.begin(), said.end(), value) != said.end();
}

bool WorkerRegistry::CanWrite(const WorkerId& worker, v1::Updates::Encoding encoding) const {
  return Said(worker, &WorkerDescription::encodings, encoding);
}

bool WorkerRegistry::CanRead(const WorkerId& worker, v1::Updates::Download download) const {
  return Said(worker, &WorkerDescription::downloads, download);
}

bool WorkerRegistry::Knows(const WorkerId& worker, v1::Updates::Compression compression) const {
  return Said(worker, &WorkerDescription::compressions, compression);
}

bool WorkerRegistry::Send(const WorkerId& worker, const v1::CoordinatorMessage& message) {
  std::shared_ptr<WorkerConnection> connection;
  {
    absl::MutexLock lock(&mu_);
    const auto it = workers_.find(worker);
    if (it != workers_.end()) connection = it->second.connection;
  }
  if (connection == nullptr) return false;
  connection->Send(message);
  return true;
}

void WorkerRegistry::Heard(const WorkerId& worker) {
  absl::MutexLock lock(&mu_);
  if (const auto it = workers_.find(worker); it != workers_.end()) {
    it->second.snapshot.last_heard_at = clock_.Now();
  }
}

void WorkerRegistry::SetActivity(const WorkerId& worker, std::string activity, uint64_t step,
                                 uint64_t step_count) {
  absl::MutexLock lock(&mu_);
  if (const auto it = workers_.find(worker); it != workers_.end()) {
    it->second.snapshot.activity = std::move(activity);
    it->second.snapshot.step = step;
    it->second.snapshot.step_count = step_count;
  }
}

void WorkerRegistry::AddBytes(const WorkerId& worker, uint64_t up, uint64_t down) {
  absl::MutexLock lock(&mu_);
  if (const auto it = workers_.find(worker); it != workers_.end()) {
    it->second.snapshot.bytes_up += up;
    it->second.snapshot.bytes_down += down;
  }
}

std::vector<WorkerSnapshot> WorkerRegistry::Snapshot() const {
  absl::MutexLock lock(&mu_);
  std::vector<WorkerSnapshot> snapshots;
  for (const auto& [worker, entry] : workers_) snapshots.push_back(entry.snapshot);
  return snapshots;
}

void WorkerRegistry::CloseAll(const absl::Status& status) {
  std::vector<std::shared_ptr<WorkerConnection>> connections;
  {
    absl::MutexLock lock(&mu_);
    closed_ = status;
    for (const auto& [worker, entry] : workers_) {
      if (entry.connection != nullptr) connections.push_back(entry.connection);
    }
  }
  for (const std::shared_ptr<WorkerConnection>& connection : connections) connection->Close(status);
}

}  // namespace entente::members
