// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/member_converter.h"

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/config/proto_time.h"

namespace entente::service {

v1::Worker ToProto(const members::WorkerSnapshot& snapshot) {
  v1::Worker proto;
  proto.set_id(snapshot.id.value());
  proto.set_connected(snapshot.attached);
  *proto.mutable_last_seen_at() = entente::ToProto(snapshot.last_heard_at);
  proto.set_reason(snapshot.reason);
  proto.set_version(snapshot.description.version);
  for (const std::string& dataset : snapshot.description.datasets) proto.add_datasets(dataset);
  proto.set_sandbox(snapshot.description.sandbox);
  proto.set_activity(snapshot.activity);
  proto.set_step(snapshot.step);
  proto.set_step_count(snapshot.step_count);
  if (snapshot.description.certificate_expires_at != absl::InfiniteFuture()) {
    *proto.mutable_certificate_expires_at() =
        entente::ToProto(snapshot.description.certificate_expires_at);
  }
  proto.set_bytes_up(snapshot.bytes_up);
  proto.set_bytes_down(snapshot.bytes_down);
  if (snapshot.description.away.has_value()) *proto.mutable_away() = *snapshot.description.away;
  if (!snapshot.never_attached) {
    proto.set_protocol(
        absl::StrCat(limits::kProtocolVersion, ".", snapshot.description.protocol_minor));
  }
  return proto;
}

v1::Member ToProto(const members::MemberInfo& member,
                   const std::vector<members::WorkerSnapshot>& workers) {
  v1::Member proto;
  proto.set_id(member.id.value());
  proto.set_display_name(member.display_name);
  proto.set_jurisdiction(member.jurisdiction);
  proto.set_trust_domain(member.trust_domain);
  for (const members::WorkerSnapshot& worker : workers) {
    if (MemberOf(worker.id) == member.id) *proto.add_workers() = ToProto(worker);
  }
  return proto;
}

}  // namespace entente::service
