// SPDX-License-Identifier: Apache-2.0
#include "common/recipe/recipe_check.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/config/duration_text.h"
#include "common/config/enum_words.h"
#include "common/config/name_rules.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"
#include "common/crypto/sha256.h"
#include "google/protobuf/descriptor.h"

namespace entente {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;

constexpr int kLayersMax = 8;
constexpr uint32_t kWidthMax = 65'536;

// Fields and enum values that a newer version sent and this one would silently ignore.
void CheckNothingIsUnknown(const Message& message, const std::string& path, FieldCheck* check) {
  const auto& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) {
    check->Fail(path.empty() ? "the recipe" : path,
                "has a field this version does not know; use the version it was written for");
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) continue;  // Only numbers repeat in a recipe.
    const std::string name =
        path.empty() ? field->json_name() : absl::StrCat(path, ".", field->json_name());
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      CheckNothingIsUnknown(reflection.GetMessage(message, field), name, check);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const int number = reflection.GetEnumValue(message, field);
      if (field->enum_type()->FindValueByNumber(number) == nullptr) {
        check->Fail(name, absl::StrCat("is number ", number, ", which this version does not know"));
      }
    }
  }
}

void CheckFileReference(const v1::FileReference& reference, const std::string& path,
                        FieldCheck* check) {
  check->Present(absl::StrCat(path, ".file"),
                 !reference.file().empty() || !reference.digest().empty(),
                 "name the file, or give its digest");
  if (reference.digest().empty()) return;
  check->Expect(absl::StrCat(path, ".digest"), Digest::FromHex(reference.digest()).ok(),
                Quoted(reference.digest()),
                "must be a SHA-256 of 64 lower-case hexadecimal digits");
}

// How many numbers the model holds, roughly; a double, since a hostile shape overflows integers.
double ParameterCount(const v1::BuiltinModel& model) {
  double count = 0;
  double inputs = 1;
  for (const uint32_t size : model.input_shape()) inputs *= size;
  if (model.architecture() == v1::BuiltinModel::ARCHITECTURE_CNN) {
    double channels = model.input_shape(0);
    for (const uint32_t next : model.channels()) {
      count += channels * next * 9 + next;
      channels = next;
    }
    const auto shrunk = [&](uint32_t size) { return size >> model.channels_size(); };
    inputs = channels * shrunk(model.input_shape(1)) * shrunk(model.input_shape(2));
  }
  for (const uint32_t units : model.hidden()) {
    count += inputs * units + units;
    inputs = units;
  }
  return count + inputs * model.outputs() + model.outputs();
}

void CheckLayers(const google::protobuf::RepeatedField<uint32_t>& layers, const std::string& path,
                 FieldCheck* check) {
  if (layers.size() > kLayersMax) {
    check->Fail(path,
                absl::StrCat("has ", layers.size(), " entries; it may have at most ", kLayersMax));
  }
  for (int i = 0; i < layers.size() && i < kLayersMax; ++i) {
    check->Range(absl::StrCat(path, "[", i, "]"), layers[i], 1, kWidthMax);
  }
}

void CheckCnn(const v1::BuiltinModel& model, FieldCheck* check) {
  if (model.input_shape_size() != 3) {
    check->Fail("model.builtin.inputShape",
                absl::StrCat("has ", model.input_shape_size(),
                             " entries; a cnn needs three: channels, height, width"));
    return;
  }
  // Each layer's pooling halves both; nothing would be left of less.
  const uint32_t smallest = 1u << std::min(model.channels_size(), kLayersMax);
  const uint32_t side = std::min(model.input_shape(1), model.input_shape(2));
  if (side < smallest) {
    check->Fail(
        "model.builtin.inputShape",
        absl::StrCat("is ", model.input_shape(1), " by ", model.input_shape(2), " high and wide; ",
                     model.channels_size(), " convolutions need at least ", smallest, " of both"));
  }
}

void CheckBuiltin(const v1::BuiltinModel& model, FieldCheck* check) {
  using Model = v1::BuiltinModel;
  check->Present("model.builtin.architecture",
                 model.architecture() != Model::ARCHITECTURE_UNSPECIFIED, "it is mlp or cnn");
  check->Present("model.builtin.inputShape", !model.input_shape().empty(),
                 "give the shape of one example, such as [1, 28, 28]");
  if (model.input_shape_size() != 1 && model.input_shape_size() != 3) {
    check->Fail("model.builtin.inputShape",
                absl::StrCat("has ", model.input_shape_size(),
                             " entries; it must be [features] or [channels, height, width]"));
  }
  for (int i = 0; i < std::min(model.input_shape_size(), 3); ++i) {
    check->Range(absl::StrCat("model.builtin.inputShape[", i, "]"), model.input_shape(i), 1,
                 kWidthMax);
  }
  check->Range("model.builtin.outputs", model.outputs(), 1, kWidthMax);
  CheckLayers(model.channels(), "model.builtin.channels", check);
  CheckLayers(model.hidden(), "model.builtin.hidden", check);
  if (model.architecture() == Model::ARCHITECTURE_CNN) {
    CheckCnn(model, check);
  } else if (!model.channels().empty()) {
    check->Fail("model.builtin.channels", "is for cnn only; remove it, or choose cnn");
  }
  if (check->ok() && !(ParameterCount(model) <= limits::kModelParametersMax)) {
    check->Fail(
        "model.builtin",
        absl::StrCat("has about ", ParameterCount(model), " parameters; at most ",
                     WithCommas(absl::int128(limits::kModelParametersMax)), " are allowed"));
  }
}

void CheckModel(const v1::Model& model, FieldCheck* check) {
  check->Present("model", model.kind_case() != v1::Model::KIND_NOT_SET,
                 "say what is trained: model.builtin or model.torchscript");
  if (model.has_builtin()) CheckBuiltin(model.builtin(), check);
  if (model.has_torchscript()) CheckFileReference(model.torchscript(), "model.torchscript", check);
  if (model.has_initial_weights()) {
    CheckFileReference(model.initial_weights(), "model.initialWeights", check);
  }
}

// From 0 to under 1.
void CheckDecay(const std::string& path, double value, FieldCheck* check) {
  check->Number(path, value, value >= 0 && value < 1, "0 to under 1");
}

void CheckStepSize(const std::string& path, double value, FieldCheck* check) {
  check->Number(path, value, value > 0 && value <= 100, "over 0, at most 100");
}

void CheckShare(const std::string& path, double value, FieldCheck* check) {
  check->Number(path, value, value > 0 && value <= 1, "over 0, at most 1");
}

void CheckTraining(const v1::Training& training, FieldCheck* check) {
  if (training.has_epochs()) check->Range("training.epochs", training.epochs(), 1, 1'000);
  if (training.has_steps()) check->Range("training.steps", training.steps(), 1, 10'000'000);
  check->Present("training.epochs", training.length_case() != v1::Training::LENGTH_NOT_SET,
                 "give epochs or steps");
  check->Range("training.batchSize", training.batch_size(), 1, 65'536);
  check->Present("training.optimizer", training.optimizer() != v1::Training::OPTIMIZER_UNSPECIFIED,
                 "it is sgd or adamw");
  CheckStepSize("training.learningRate", training.learning_rate(), check);
  CheckDecay("training.momentum", training.momentum(), check);
  if (training.has_momentum() && training.optimizer() != v1::Training::OPTIMIZER_SGD) {
    check->Fail("training.momentum", "is for sgd only; remove it, or choose sgd");
  }
  const double decay = training.weight_decay();
  check->Number("training.weightDecay", decay, decay >= 0 && decay <= 1, "0 to 1");
  const double mu = training.proximal_mu();
  check->Number("training.proximalMu", mu, mu >= 0 && mu <= 100, "0 to 100");
  if (training.has_checkpoint_every()) {
    check->Time("training.checkpointEvery", ToDuration(training.checkpoint_every()),
                absl::Milliseconds(100), absl::Hours(24));
  }
  check->Range("training.seed", training.seed(), 0, std::numeric_limits<int64_t>::max());
}

void CheckAggregation(const v1::Aggregation& aggregation, FieldCheck* check) {
  check->Present("aggregation.method", aggregation.method() != v1::Aggregation::METHOD_UNSPECIFIED,
                 "it is weighted_mean");
  check->Present("aggregation.weighting",
                 aggregation.weighting() != v1::Aggregation::WEIGHTING_UNSPECIFIED,
                 "it is examples or uniform");
  CheckShare("aggregation.memberWeightCap", aggregation.member_weight_cap(), check);
  const double bound = aggregation.value_bound();
  check->Number("aggregation.valueBound", bound, bound >= 0x1p-10 && bound <= 0x1p20,
                "2^-10 to 2^20 (0.0009765625 to 1,048,576)");
}

void CheckServerOptimizer(const v1::ServerOptimizer& optimizer, FieldCheck* check) {
  using Optimizer = v1::ServerOptimizer;
  const Optimizer::Name name = optimizer.name();
  check->Present("serverOptimizer.name", name != Optimizer::NAME_UNSPECIFIED,
                 "it is sgd, momentum, nesterov, adagrad, adam or yogi");
  CheckStepSize("serverOptimizer.learningRate", optimizer.learning_rate(), check);
  CheckDecay("serverOptimizer.momentum", optimizer.momentum(), check);
  CheckDecay("serverOptimizer.beta1", optimizer.beta1(), check);
  CheckDecay("serverOptimizer.beta2", optimizer.beta2(), check);
  if (optimizer.has_tau()) CheckShare("serverOptimizer.tau", optimizer.tau(), check);
  const bool has_beta2 = name == Optimizer::NAME_ADAM || name == Optimizer::NAME_YOGI;
  const bool is_adaptive = has_beta2 || name == Optimizer::NAME_ADAGRAD;
  if (is_adaptive) check->Present("serverOptimizer.tau", optimizer.has_tau(), "give how adaptive");
  const auto refuse = [&](const std::string& key, const std::string& users) {
    check->Fail("serverOptimizer." + key,
                absl::StrCat("is for ", users, " only; remove it, or choose another optimizer"));
  };
  if (optimizer.has_momentum() && name != Optimizer::NAME_MOMENTUM &&
      name != Optimizer::NAME_NESTEROV) {
    refuse("momentum", "momentum and nesterov");
  }
  if (optimizer.has_beta1() && !is_adaptive) refuse("beta1", "adagrad, adam and yogi");
  if (optimizer.has_beta2() && !has_beta2) refuse("beta2", "adam and yogi");
  if (optimizer.has_tau() && !is_adaptive) refuse("tau", "adagrad, adam and yogi");
}

// `path` may be at most as long as the whole round.
void CheckWithinDeadline(const std::string& path, absl::Duration value, absl::Duration deadline,
                         FieldCheck* check) {
  if (value <= deadline) return;
  check->Fail(path, absl::StrCat("is ", DurationText(value),
                                 "; it must be at most pacing.deadline, which is ",
                                 DurationText(deadline)));
}

void CheckPacing(const v1::Pacing& pacing, FieldCheck* check) {
  const absl::Duration day = absl::Hours(24);
  CheckShare("pacing.cohort.fraction", pacing.cohort().fraction(), check);
  check->Present("pacing.quorum", pacing.quorum().kind_case() != v1::Quorum::KIND_NOT_SET,
                 "give count or share");
  if (pacing.quorum().has_count()) {
    check->Range("pacing.quorum.count", pacing.quorum().count(), 1, 10'000);
  }
  if (pacing.quorum().has_share()) {
    CheckShare("pacing.quorum.share", pacing.quorum().share(), check);
  }
  const absl::Duration deadline = ToDuration(pacing.deadline());
  const absl::Duration grace = ToDuration(pacing.grace());
  const absl::Duration lease = ToDuration(pacing.lease());
  check->Time("pacing.deadline", deadline, absl::Seconds(1), 90 * day);
  check->Time("pacing.grace", grace, absl::ZeroDuration(), 30 * day);
  CheckWithinDeadline("pacing.grace", grace, deadline, check);
  check->Range("pacing.attempts", pacing.attempts(), 1, 100);
  check->Time("pacing.lease", lease, absl::Seconds(1), day);
  CheckWithinDeadline("pacing.lease", lease, deadline, check);
}

void CheckUpdates(const v1::Updates& updates, FieldCheck* check) {
  check->Present("updates.encoding", updates.encoding() != v1::Updates::ENCODING_UNSPECIFIED,
                 "it is fp32, bf16, fp16, int8, int4 or topk");
  if (updates.encoding() == v1::Updates::ENCODING_TOPK) {
    const double fraction = updates.topk().fraction();
    check->Number("updates.topk.fraction", fraction, fraction > 0 && fraction <= 0.5,
                  "over 0, at most 0.5");
    check->Present("updates.topk.values", updates.topk().values() != v1::TopK::VALUES_UNSPECIFIED,
                   "it is 2bit or int8");
  } else if (updates.has_topk()) {
    check->Fail("updates.topk", "is for topk only; remove it, or choose topk");
  }
}

void CheckEvaluation(const v1::Evaluation& evaluation, FieldCheck* check) {
  check->Range("evaluation.everyRounds", evaluation.every_rounds(), 0, 100'000);
  if (evaluation.every_rounds() > 0) {
    check->Time("evaluation.deadline", ToDuration(evaluation.deadline()), absl::Seconds(1),
                absl::Hours(24));
  } else if (evaluation.has_deadline()) {
    check->Fail("evaluation.deadline",
                "means nothing while evaluation.everyRounds is 0; remove one of the two");
  }
}

}  // namespace

FieldCheck RecipeMistakes(const v1::Recipe& recipe) {
  FieldCheck check;
  CheckNothingIsUnknown(recipe, "", &check);
  check.Expect("apiVersion", recipe.api_version() == "entente/v1", Quoted(recipe.api_version()),
               "must be \"entente/v1\"");
  check.Expect("kind", recipe.kind() == "Recipe", Quoted(recipe.kind()), "must be \"Recipe\"");
  check.Present("name", !recipe.name().empty(), "say what the job is called");
  check.Expect("name", IsSlug(recipe.name()), Quoted(recipe.name()), kSlugRule);
  check.Present("purpose", !recipe.purpose().empty(), "say why the data is used");
  check.Expect("purpose", IsOneLine(recipe.purpose(), 200), Quoted(recipe.purpose()),
               "must be one line of at most 200 characters");
  check.Present("dataset", !recipe.dataset().empty(), "name the data set");
  check.Expect("dataset", IsDatasetName(recipe.dataset()), Quoted(recipe.dataset()),
               kDatasetNameRule);
  CheckModel(recipe.model(), &check);
  check.Present("task", recipe.task() != v1::TASK_UNSPECIFIED,
                "it is classification or regression");
  CheckTraining(recipe.training(), &check);
  check.Range("rounds", recipe.rounds(), 1, 100'000);
  CheckAggregation(recipe.aggregation(), &check);
  CheckServerOptimizer(recipe.server_optimizer(), &check);
  CheckPacing(recipe.pacing(), &check);
  CheckUpdates(recipe.updates(), &check);
  CheckEvaluation(recipe.evaluation(), &check);
  return check;
}

}  // namespace entente
