// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/member_service.h"

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/rpc/server_time.h"
#include "coordinator/service/member_converter.h"
#include "coordinator/service/unary_call.h"

namespace entente::service {

using members::Action;

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
