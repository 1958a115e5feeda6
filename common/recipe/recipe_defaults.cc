// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "absl/time/time.h"
#include "common/config/proto_time.h"
#include "common/recipe/recipe.h"

namespace entente {
namespace {

void FillModel(v1::Model* model) {
  if (!model->has_builtin()) return;
  v1::BuiltinModel& builtin = *model->mutable_builtin();
  if (builtin.architecture() == v1::BuiltinModel::ARCHITECTURE_CNN && builtin.channels().empty()) {
    builtin.add_channels(16);
    builtin.add_channels(32);
  }
  if (builtin.hidden().empty()) builtin.add_hidden(128);
}

void FillTraining(v1::Training* training) {
  if (training->length_case() == v1::Training::LENGTH_NOT_SET) training->set_epochs(1);
  if (!training->has_batch_size()) training->set_batch_size(32);
  if (training->optimizer() == v1::Training::OPTIMIZER_UNSPECIFIED) {
    training->set_optimizer(v1::Training::OPTIMIZER_SGD);
  }
  if (!training->has_learning_rate()) training->set_learning_rate(0.01);
  if (training->optimizer() == v1::Training::OPTIMIZER_SGD && !training->has_momentum()) {
    training->set_momentum(0);
  }
  if (!training->has_weight_decay()) training->set_weight_decay(0);
  if (!training->has_proximal_mu()) training->set_proximal_mu(0);
  if (!training->has_seed()) training->set_seed(1);
}

void FillAggregation(v1::Aggregation* aggregation) {
  if (aggregation->method() == v1::Aggregation::METHOD_UNSPECIFIED) {
    aggregation->set_method(v1::Aggregation::METHOD_WEIGHTED_MEAN);
  }
  if (aggregation->weighting() == v1::Aggregation::WEIGHTING_UNSPECIFIED) {
    aggregation->set_weighting(v1::Aggregation::WEIGHTING_EXAMPLES);
  }
  if (!aggregation->has_member_weight_cap()) aggregation->set_member_weight_cap(1);
  if (!aggregation->has_value_bound()) aggregation->set_value_bound(256);
}

void FillServerOptimizer(v1::ServerOptimizer* optimizer) {
  using Optimizer = v1::ServerOptimizer;
  if (optimizer->name() == Optimizer::NAME_UNSPECIFIED) optimizer->set_name(Optimizer::NAME_SGD);
  const Optimizer::Name name = optimizer->name();
  const bool has_momentum = name == Optimizer::NAME_MOMENTUM || name == Optimizer::NAME_NESTEROV;
  const bool has_beta2 = name == Optimizer::NAME_ADAM || name == Optimizer::NAME_YOGI;
  const bool is_adaptive = has_beta2 || name == Optimizer::NAME_ADAGRAD;
  if (!optimizer->has_learning_rate()) {
    optimizer->set_learning_rate(is_adaptive ? 0.01 : name == Optimizer::NAME_NESTEROV ? 0.7 : 1.0);
  }
  if (has_momentum && !optimizer->has_momentum()) optimizer->set_momentum(0.9);
  if (is_adaptive && !optimizer->has_beta1()) optimizer->set_beta1(has_beta2 ? 0.9 : 0.0);
  if (has_beta2 && !optimizer->has_beta2()) optimizer->set_beta2(0.99);
  if (is_adaptive && !optimizer->has_tau()) optimizer->set_tau(0.001);
}

void FillPacing(v1::Pacing* pacing) {
  if (!pacing->cohort().has_fraction()) pacing->mutable_cohort()->set_fraction(1);
  if (pacing->quorum().kind_case() == v1::Quorum::KIND_NOT_SET) {
    pacing->mutable_quorum()->set_share(0.5);
  }
  if (!pacing->has_deadline()) *pacing->mutable_deadline() = ToProto(absl::Hours(1));
  // Neither may be longer than the deadline; a default must not be what breaks that.
  const absl::Duration half_minute = std::min(absl::Seconds(30), ToDuration(pacing->deadline()));
  if (!pacing->has_grace()) *pacing->mutable_grace() = ToProto(half_minute);
  if (!pacing->has_lease()) *pacing->mutable_lease() = ToProto(half_minute);
  if (!pacing->has_attempts()) pacing->set_attempts(3);
}

void FillUpdates(v1::Updates* updates) {
  if (updates->encoding() == v1::Updates::ENCODING_UNSPECIFIED) {
    updates->set_encoding(v1::Updates::ENCODING_FP32);
  }
  // Recipes of before these words existed must keep their digests, so what was always meant is not
  // written.
  if (updates->download() == v1::Updates::DOWNLOAD_FP32) updates->clear_download();
  if (updates->compression() == v1::Updates::COMPRESSION_NONE) updates->clear_compression();
  if (updates->encoding() != v1::Updates::ENCODING_TOPK) return;
  v1::TopK& topk = *updates->mutable_topk();
  if (!topk.has_fraction()) topk.set_fraction(0.03125);
  if (topk.values() == v1::TopK::VALUES_UNSPECIFIED) topk.set_values(v1::TopK::VALUES_INT8);
}

void FillEvaluation(v1::Evaluation* evaluation) {
  if (!evaluation->has_every_rounds()) evaluation->set_every_rounds(1);
  if (evaluation->every_rounds() > 0 && !evaluation->has_deadline()) {
    *evaluation->mutable_deadline() = ToProto(absl::Minutes(5));
  }
}

}  // namespace

void FillRecipeDefaults(v1::Recipe* recipe) {
  if (recipe->api_version().empty()) recipe->set_api_version("entente/v1");
  if (recipe->kind().empty()) recipe->set_kind("Recipe");
  if (recipe->has_model()) FillModel(recipe->mutable_model());
  FillTraining(recipe->mutable_training());
  if (!recipe->has_rounds()) recipe->set_rounds(10);
  FillAggregation(recipe->mutable_aggregation());
  FillServerOptimizer(recipe->mutable_server_optimizer());
  FillPacing(recipe->mutable_pacing());
  FillUpdates(recipe->mutable_updates());
  FillEvaluation(recipe->mutable_evaluation());
}

}  // namespace entente
