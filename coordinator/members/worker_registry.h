// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_MEMBERS_WORKER_REGISTRY_H_
#define COORDINATOR_MEMBERS_WORKER_REGISTRY_H_

// The members, and which of their workers are attached right now. Workers come and go; members are
// the configuration's.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/strong_id.h"
#include "common/identity/peer_identity.h"
#include "entente/v1/worker_service.pb.h"

namespace entente::members {

struct MemberInfo {
  MemberId id;
  std::string display_name;
  std::string jurisdiction;  // ISO 3166-1 alpha-2.
  std::string trust_domain;
};

// One worker's control stream. Thread-safe.
class WorkerConnection {
 public:
  virtual ~WorkerConnection() = default;

  // Queues the message; never blocks. A peer that does not read is cut off once
  // limits::kControlQueueMessagesMax wait for it.
  virtual void Send(const v1::CoordinatorMessage& message) = 0;

  // Says goodbye and ends the stream.
  virtual void Close(const absl::Status& status) = 0;
};

// What a worker said of itself when it attached.
struct WorkerDescription {
  std::string version;
  std::vector<std::string> datasets;
  std::string sandbox;
  std::vector<v1::Updates::Encoding> encodings;        // That it can write.
  std::vector<v1::Updates::Download> downloads;        // Forms of a model that it can read.
  std::vector<v1::Updates::Compression> compressions;  // That it knows.
  uint32_t protocol_minor = 0;                         // See limits::kProtocolMinor.
  std::optional<v1::Away> away = std::nullopt;         // Set while it takes no part in rounds.
  absl::Time certificate_expires_at = absl::InfiniteFuture();  // Infinite: not known.
};

// Why a worker whose certificate is good was not let attach.
struct Refusal {
  std::string reason;
  std::string version;  // As it said; may be empty.
  absl::Time certificate_expires_at;
};

// A worker as the operator sees it.
struct WorkerSnapshot {
  WorkerId id;
  bool attached = false;
  bool never_attached = false;  // Since the start; little of `description` is known.
  std::string reason;           // Why it is not attached.
  absl::Time last_heard_at;     // Of one that is expected: the start.
  absl::Time detached_at;       // Likewise. Meaningful while it is not attached.
  WorkerDescription description;
  std::string activity;
  // Of the activity, done and in all, in its own unit; both 0 when unknown.
  uint64_t step = 0;
  uint64_t step_count = 0;
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
};

// Thread-safe.
class WorkerRegistry {
 public:
  // Called after each attach and detach, and as for an attach when an attached worker said that it
  // is away or back; with no lock held.
  using Listener = std::function<void(const WorkerId& worker, bool attached)>;

  // Called when a refusal says what was not known before; with no lock held.
  using RefusalListener = std::function<void()>;

  // `clock` is borrowed.
  WorkerRegistry(std::vector<MemberInfo> members, const Clock* clock, uint32_t workers_max);

  // Set once, before the first worker attaches.
  void SetListener(Listener listener);
  void SetRefusalListener(RefusalListener listener);

  const std::vector<MemberInfo>& members() const { return members_; }
  const MemberInfo* FindMember(const MemberId& id) const;  // Null if there is none.

  // The worker a certificate with role worker stands for. NOT_FOUND if no member has its domain.
  absl::StatusOr<WorkerId> WorkerOf(const PeerIdentity& identity) const;

  // A second connection of the same worker replaces the first, which is closed.
  // RESOURCE_EXHAUSTED if workers_max are attached; after CloseAll, the status it was given.
  absl::Status Attach(const WorkerId& worker, WorkerDescription description,
                      std::shared_ptr<WorkerConnection> connection) ABSL_LOCKS_EXCLUDED(mu_);

  // Does nothing if the worker's connection is another by now.
  void Detach(const WorkerId& worker, const WorkerConnection* connection, std::string reason)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Notes why the worker is not attached. Does nothing while it is, on another connection, and
  // after CloseAll. Of those that were never attached limits::kRefusedWorkersMax a member are
  // remembered: one more takes the place of the one that was refused longest ago.
  void NoteRefused(const WorkerId& worker, const Refusal& refusal) ABSL_LOCKS_EXCLUDED(mu_);

  // At the start: the worker took part before, so it is missed until it attaches. Does nothing if
  // it is known, or of no member.
  void NoteExpected(const WorkerId& worker) ABSL_LOCKS_EXCLUDED(mu_);

  // Attached workers that offer the data set, sorted.
  std::vector<WorkerId> AttachedWith(absl::string_view dataset) const ABSL_LOCKS_EXCLUDED(mu_);

  // Those of them that are not away.
  std::vector<WorkerId> AvailableWith(absl::string_view dataset) const ABSL_LOCKS_EXCLUDED(mu_);

  // Workers with the data set that are away, attached or not, and what they said.
  std::map<WorkerId, v1::Away> AwayWith(absl::string_view dataset) const ABSL_LOCKS_EXCLUDED(mu_);

  // Nothing: it is back. Does nothing if the worker's connection is another by now, or it had said
  // the same before.
  void SetAway(const WorkerId& worker, const WorkerConnection* connection,
               std::optional<v1::Away> away) ABSL_LOCKS_EXCLUDED(mu_);

  // What it said, if it is away.
  std::optional<v1::Away> AwayOf(const WorkerId& worker) const ABSL_LOCKS_EXCLUDED(mu_);

  // Since when it is not attached; nothing while it is, or if it is not known.
  std::optional<absl::Time> DetachedSince(const WorkerId& worker) const ABSL_LOCKS_EXCLUDED(mu_);

  // The second number of the protocol it speaks; 0 if it was never attached.
  uint32_t ProtocolMinorOf(const WorkerId& worker) const ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the worker said, when it last attached, that it can write updates so, read models so,
  // or knows the compression.
  bool CanWrite(const WorkerId& worker, v1::Updates::Encoding encoding) const
      ABSL_LOCKS_EXCLUDED(mu_);
  bool CanRead(const WorkerId& worker, v1::Updates::Download download) const
      ABSL_LOCKS_EXCLUDED(mu_);
  bool Knows(const WorkerId& worker, v1::Updates::Compression compression) const
      ABSL_LOCKS_EXCLUDED(mu_);

  // Whether the worker is attached; if so the message is on its way.
  bool Send(const WorkerId& worker, const v1::CoordinatorMessage& message) ABSL_LOCKS_EXCLUDED(mu_);

  void Heard(const WorkerId& worker) ABSL_LOCKS_EXCLUDED(mu_);
  // Empty: it does nothing. How far it is belongs to the activity and goes with it.
  void SetActivity(const WorkerId& worker, std::string activity, uint64_t step = 0,
                   uint64_t step_count = 0) ABSL_LOCKS_EXCLUDED(mu_);
  void AddBytes(const WorkerId& worker, uint64_t up, uint64_t down) ABSL_LOCKS_EXCLUDED(mu_);

  // Every worker that was attached since the start, and those of NoteRefused and NoteExpected, by
  // id.
  std::vector<WorkerSnapshot> Snapshot() const ABSL_LOCKS_EXCLUDED(mu_);

  // Says goodbye to everybody, and to whoever attaches later.
  void CloseAll(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Entry {
    WorkerSnapshot snapshot;
    std::shared_ptr<WorkerConnection> connection;  // Null while not attached.
  };

  void MakeRoomForRefused(const MemberId& member) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Whether `value` is in that list of what the worker said of itself.
  template <typename Value>
  bool Said(const WorkerId& worker, std::vector<Value> WorkerDescription::*list, Value value) const
      ABSL_LOCKS_EXCLUDED(mu_);

  const std::vector<MemberInfo> members_;
  const Clock& clock_;
  const uint32_t workers_max_;
  Listener listener_;                 // Constant after SetListener.
  RefusalListener refusal_listener_;  // Constant after SetRefusalListener.

  mutable absl::Mutex mu_;
  std::map<WorkerId, Entry> workers_ ABSL_GUARDED_BY(mu_);
  uint32_t attached_count_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Status closed_ ABSL_GUARDED_BY(mu_);  // OK until CloseAll.
};

}  // namespace entente::members

#endif  // COORDINATOR_MEMBERS_WORKER_REGISTRY_H_
