// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_SERVICE_WORKER_MESSAGE_H_
#define COORDINATOR_SERVICE_WORKER_MESSAGE_H_

// What a worker says on its control stream: checked, cut to size, and passed on to the job it is
// about.

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/strong_id.h"
#include "coordinator/members/worker_registry.h"
#include "coordinator/service/service_context.h"
#include "entente/v1/worker_service.pb.h"

namespace entente::service {

// FAILED_PRECONDITION if the protocol versions do not fit, naming both and which version to
// install: `version`, the coordinator's own. INVALID_ARGUMENT if a field is missing or too long.
absl::Status CheckHello(const v1::Hello& hello, absl::string_view version);

// What the coordinator keeps of a Hello that CheckHello has passed.
members::WorkerDescription DescriptionOf(const v1::Hello& hello, absl::Time certificate_expires_at);

// How the worker can write updates: what its Hello names, or what workers could before it did.
std::vector<v1::Updates::Encoding> EncodingsOf(const v1::Hello& hello);

// What the worker can read models in, and the compressions it knows; of these, too, those that are
// known here. None of an older worker.
std::vector<v1::Updates::Download> DownloadsOf(const v1::Hello& hello);
std::vector<v1::Updates::Compression> CompressionsOf(const v1::Hello& hello);

// A worker and the connection that it speaks on.
struct WorkerSpeaker {
  const WorkerId& id;
  const members::WorkerConnection* connection = nullptr;
};

// INVALID_ARGUMENT if the message is malformed. A message about a job that is not there, or a round
// that is over, is no error: it was late. Nor is one of a kind that only a newer worker knows.
//
// What jobs have to do about it is posted to them; `done` is called once they have, here or on
// another thread, and not after an error.
absl::Status DispatchWorkerMessage(const ServiceContext& context, const WorkerSpeaker& speaker,
                                   const v1::WorkerMessage& message, std::function<void()> done);

}  // namespace entente::service

#endif  // COORDINATOR_SERVICE_WORKER_MESSAGE_H_
