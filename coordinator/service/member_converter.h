// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_MEMBER_CONVERTER_H_
#define COORDINATOR_SERVICE_MEMBER_CONVERTER_H_

// Members and their workers, from the registry to the wire.

#include <vector>

#include "coordinator/members/worker_registry.h"
#include "entente/v1/member.pb.h"

namespace entente::service {

v1::Worker ToProto(const members::WorkerSnapshot& snapshot);

// With those of `workers` that are its own.
v1::Member ToProto(const members::MemberInfo& member,
                   const std::vector<members::WorkerSnapshot>& workers);

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_MEMBER_CONVERTER_H_
