// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_MEMBER_SERVICE_H_
#define COORDINATOR_SERVICE_MEMBER_SERVICE_H_

// proto/entente/v1/member_service.proto, which documents every call and its status codes.

#include <grpcpp/grpcpp.h>

#include "coordinator/service/service_context.h"
#include "entente/v1/member_service.grpc.pb.h"

namespace entente::service {

// Thread-safe.
class MemberService final : public v1::MemberService::CallbackService {
 public:
  explicit MemberService(const ServiceContext& context) : context_(context) {}

  grpc::ServerUnaryReactor* ListMembers(grpc::CallbackServerContext* call,
                                        const v1::ListMembersRequest* request,
                                        v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* GetMember(grpc::CallbackServerContext* call,
                                      const v1::GetMemberRequest* request,
                                      v1::Member* response) override;
  grpc::ServerUnaryReactor* GetVersion(grpc::CallbackServerContext* call,
                                       const v1::GetVersionRequest* request,
                                       v1::GetVersionResponse* response) override;

 private:
  const ServiceContext context_;
};

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_MEMBER_SERVICE_H_
