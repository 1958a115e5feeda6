// SPDX-License-Identifier: Apache-2.0
#include "coordinator/service/model_service.h"

#include <gmock/gmock.h>

#include "tests/unit/coordinator/service/service_fixture.h"

namespace entente::service {
namespace {

class ModelServiceTest : public ServiceTest {};

TEST_F(ModelServiceTest, CommittedModelsAreListedNewestFirst) {
  const auto fr = AttachWorker("fr-lab/w");
  const auto job = Submit(RecipeOf(1, 1));
  ASSERT_TRUE(EngineTest::Upload("fr-lab/w", fr->WaitForTask(0), 1, 1).ok());
  WaitForEnd(*job);
  v1::ListModelsRequest request;
  request.set_job_id(job->description().id.value());
  v1::ListModelsResponse list;

  ASSERT_TRUE(
      v1::ModelService::NewStub(AsSubmitter())->ListModels(Context().get(), request, &list).ok());

  ASSERT_EQ(list.models_size(), 2);
  EXPECT_EQ(list.models(0).rounds_committed(), 1U);
  EXPECT_EQ(list.models(0).digest(), job->View().state->model.ToHex());
  EXPECT_GT(list.models(0).total_bytes(), 8U);
  EXPECT_EQ(list.models(1).rounds_committed(), 0U);
}

TEST_F(ModelServiceTest, ModelIsFoundByPrefixAndShowsItsTensors) {
  const Digest digest = StoreModel(1, 2);
  v1::GetModelRequest request;
  request.set_digest(digest.ToHex().substr(0, 10));
  v1::StoredModel model;

  ASSERT_TRUE(
      v1::ModelService::NewStub(AsSubmitter())->GetModel(Context().get(), request, &model).ok());

  EXPECT_EQ(model.digest(), digest.ToHex());
  ASSERT_EQ(model.tensors_size(), 1);
  EXPECT_EQ(model.tensors(0).name(), "w");
  EXPECT_EQ(model.tensors(0).dtype(), "F32");
}

TEST_F(ModelServiceTest, UnknownModelIsNotFoundAndAWorkerMayNotLook) {
  v1::GetModelRequest request;
  request.set_digest(Sha256Of("nowhere").ToHex());
  v1::StoredModel model;

  EXPECT_EQ(v1::ModelService::NewStub(AsSubmitter())
                ->GetModel(Context().get(), request, &model)
                .error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(v1::ModelService::NewStub(AsWorker())
                ->GetModel(Context().get(), request, &model)
                .error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

}  // namespace
}  // namespace entente::service
