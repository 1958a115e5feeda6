// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/member_service.h"

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/rpc/server_time.h"
#include "coordinator/service/unary_call.h"

namespace entente::service {
namespace {

using members::Action;

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
  *proto.mutable_certificate_expires_at() =
      entente::ToProto(snapshot.description.certificate_expires_at);
  proto.set_bytes_up(snapshot.bytes_up);
  proto.set_bytes_down(snapshot.bytes_down);
  if (snapshot.description.away.has_value()) *proto.mutable_away() = *snapshot.description.away;
  proto.set_protocol(
      absl::StrCat(limits::kProtocolVersion, ".", snapshot.description.protocol_minor));
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

}  // namespace

grpc::ServerUnaryReactor* MemberService::ListMembers(grpc::CallbackServerContext* call,
                                                     const v1::ListMembersRequest*,
                                                     v1::ListMembersResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadMembers).status());
    const auto workers = context_.workers->Snapshot();
    for (const members::MemberInfo& member : context_.workers->members()) {
      *response->add_members() = ToProto(member, workers);
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* MemberService::GetMember(grpc::CallbackServerContext* call,
                                                   const v1::GetMemberRequest* request,
                                                   v1::Member* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadMembers).status());
    const members::MemberInfo* const member =
        context_.workers->FindMember(MemberId(request->member_id()));
    if (member == nullptr) {
      return absl::NotFoundError(absl::StrCat("there is no member \"", request->member_id(),
                                              "\"; `entente member list` shows those there are"));
    }
    *response = ToProto(*member, context_.workers->Snapshot());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* MemberService::GetVersion(grpc::CallbackServerContext* call,
                                                    const v1::GetVersionRequest*,
                                                    v1::GetVersionResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, response]() -> absl::Status {
    ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity caller,
                             context_.callers->Admit(*call, Action::kReadVersion));
    response->set_version(context_.version);
    response->set_protocol_version(limits::kProtocolVersion);
    response->set_protocol_minor(limits::kProtocolMinor);
    response->set_caller(caller.SpiffeId());
    call->AddInitialMetadata(kServerTimeKey, FormatServerTime(context_.clock->Now()));
    return absl::OkStatus();
  });
}

}  // namespace entente::service
