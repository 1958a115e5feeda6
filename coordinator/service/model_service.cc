// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/model_service.h"

#include <algorithm>
#include <vector>

#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "coordinator/service/unary_call.h"

namespace entente::service {
namespace {

using members::Action;

// The models a job has made, the initial one included, newest first.
std::vector<v1::StoredModel> ModelsOf(const engine::JobEngine& job,
                                      const models::ModelStore& store) {
  std::vector<v1::StoredModel> found;
  const auto add = [&](const Digest& digest, uint32_t rounds_committed, absl::Time at) {
    v1::StoredModel model;
    model.set_digest(digest.ToHex());
    model.set_job_id(job.description().id.value());
    model.set_rounds_committed(rounds_committed);
    *model.mutable_committed_at() = entente::ToProto(at);
    const auto file = store.OpenForRead(digest);
    if (file.ok()) model.set_total_bytes((*file)->size_bytes());
    found.push_back(std::move(model));
  };
  const engine::JobView view = job.View();
  add(view.state->initial_model, 0, view.state->submitted_at);
  for (const auto& round : job.Rounds()) {
    if (round->phase == rounds::RoundPhase::kCommitted) {
      add(round->model, round->round_index + 1, round->ended_at);
    }
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace

grpc::ServerUnaryReactor* ModelService::ListModels(grpc::CallbackServerContext* call,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsResponse* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadModels).status());
    std::vector<std::shared_ptr<engine::JobEngine>> jobs;
    if (request->job_id().empty()) {
      jobs = context_.jobs->All();
    } else {
      ENTENTE_ASSIGN_OR_RETURN(auto job, context_.jobs->Find(JobId(request->job_id())));
      jobs.push_back(std::move(job));
    }
    for (const auto& job : jobs) {
      for (v1::StoredModel& model : ModelsOf(*job, *context_.models)) {
        *response->add_models() = std::move(model);
      }
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ModelService::GetModel(grpc::CallbackServerContext* call,
                                                 const v1::GetModelRequest* request,
                                                 v1::StoredModel* response) {
  return RunUnary(call, *context_.executor, [this, call, request, response]() -> absl::Status {
    ENTENTE_RETURN_IF_ERROR(context_.callers->Admit(*call, Action::kReadModels).status());
    ENTENTE_ASSIGN_OR_RETURN(const Digest digest, context_.models->Find(request->digest()));
    for (const auto& job : context_.jobs->All()) {
      for (v1::StoredModel& model : ModelsOf(*job, *context_.models)) {
        if (model.digest() == digest.ToHex()) *response = std::move(model);
      }
    }
    ENTENTE_ASSIGN_OR_RETURN(const auto reader, context_.models->OpenModel(digest));
    response->set_digest(digest.ToHex());
    response->set_total_bytes(reader->file_bytes());
    for (const TensorSpec& tensor : reader->layout().tensors()) {
      v1::Tensor* const proto = response->add_tensors();
      proto->set_name(tensor.name);
      proto->set_dtype(std::string(DtypeName(tensor.dtype)));
      for (const uint64_t dimension : tensor.shape) proto->add_shape(dimension);
    }
    return absl::OkStatus();
  });
}

}  // namespace entente::service
