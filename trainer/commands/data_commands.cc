// SPDX-License-Identifier: Apache-2.0
#include "trainer/commands/data_commands.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "trainer/training/local_runs.h"

namespace entente::trainer {
namespace {

using nlohmann::ordered_json;

// Logs how far a run is every few seconds.
class ProgressLog final : public ProgressSink {
 public:
  explicit ProgressLog(const Clock& clock) : clock_(clock), last_(clock.Now()) {}

  void Report(const Progress& progress) override {
    const absl::Time now = clock_.Now();
    if (now - last_ < absl::Seconds(5)) return;
    last_ = now;
    log::Info("working", {{"step", progress.step},
                          {"step_count", progress.step_count},
                          {"loss", progress.loss.value_or(0)}});
  }

 private:
  const Clock& clock_;
  absl::Time last_;
};

// How many of the examples have each label.
ordered_json LabelCounts(const std::vector<int64_t>& indices, const std::vector<uint8_t>& labels) {
  std::vector<int64_t> counts;
  for (const int64_t index : indices) {
    const uint8_t label = labels[static_cast<size_t>(index)];
    if (label >= counts.size()) counts.resize(size_t{label} + 1);
    ++counts[label];
  }
  return counts;
}

}  // namespace

EvaluateCommand::EvaluateCommand(CLI::App& app)
    : command_(app.add_subcommand("evaluate", "Evaluate a model on one part of the data")) {
  model_.AddTo(*command_);
  data_.AddTo(*command_);
  command_->add_option("--model", weights_, "The model's weights as safetensors")->required();
  command_->add_option("--part", part_, "train, held-out or test")
      ->check(CLI::IsMember({"train", "held-out", "test"}))
      ->capture_default_str();
  AddOutputFormat(*command_, output_format_);
}

absl::Status EvaluateCommand::Run(const CommandContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(const ModelChoice choice, model_.Choose(context.files, weights_));
  ENTENTE_ASSIGN_OR_RETURN(const DatasetSource source, data_.Source());
  ENTENTE_ASSIGN_OR_RETURN(const DatasetPart part, ParseDatasetPart(part_));
  ProgressLog progress(context.clock);
  ENTENTE_ASSIGN_OR_RETURN(const EvaluationResult result,
                           EvaluateOnPart(context.files, choice, source, part, progress));
  if (output_format_ == "json") {
    ordered_json json = {{"examples", result.examples}, {"loss", result.loss}};
    if (result.accuracy.has_value()) json["accuracy"] = *result.accuracy;
    context.out << json.dump(2) << "\n";
    return absl::OkStatus();
  }
  context.out << absl::StrFormat("%d examples, loss %.4f", result.examples, result.loss);
  if (result.accuracy.has_value()) {
    context.out << absl::StrFormat(", accuracy %.2f %%", 100 * *result.accuracy);
  }
  context.out << "\n";
  return absl::OkStatus();
}

SplitCommand::SplitCommand(CLI::App& app)
    : command_(app.add_subcommand(
          "split", "Split a labelled IDX data set among members, each with labels of its own")) {
  command_->add_option("--images", paths_.images, "IDX file of the images, gzipped or not")
      ->required();
  command_->add_option("--labels", paths_.labels, "IDX file of the labels, gzipped or not")
      ->required();
  command_
      ->add_option("--members", members_, "fr,kr,in, or with numbers of examples fr:10000,kr:20000")
      ->required();
  command_->add_option("--output", paths_.output, "Gets one folder for each member")->required();
  command_
      ->add_option("--alpha", options_.alpha,
                   "Dirichlet concentration: the smaller, the more unequal")
      ->capture_default_str();
  command_
      ->add_option("--held-out", options_.held_out,
                   "Share of each member's examples for evaluation")
      ->capture_default_str();
  command_->add_option("--seed", options_.seed, "Equal seeds give equal splits")
      ->capture_default_str();
  command_->add_option("--examples-min", options_.examples_min, "Fewest examples a member may get")
      ->capture_default_str();
}

absl::Status SplitCommand::Run(const CommandContext& context) const {
  SplitOptions options = options_;
  ENTENTE_ASSIGN_OR_RETURN(options.members, ParseSplitMembers(members_));
  ENTENTE_ASSIGN_OR_RETURN(const IdxSplit split, SplitIdxFiles(context.files, paths_, options));
  ordered_json result = {{"output", paths_.output}, {"members", ordered_json::array()}};
  for (const MemberShare& share : split.shares) {
    result["members"].push_back({{"id", share.id},
                                 {"train", share.train.size()},
                                 {"held_out", share.held_out.size()},
                                 {"train_labels", LabelCounts(share.train, split.labels)}});
  }
  context.out << result.dump(2) << "\n";
  return absl::OkStatus();
}

TrainCommand::TrainCommand(CLI::App& app)
    : command_(app.add_subcommand("train", "Train on this data alone, without a federation")) {
  model_.AddTo(*command_);
  data_.AddTo(*command_);
  command_->add_option("--rounds", rounds_, "How often the recipe's local training is done")
      ->check(CLI::Range(int64_t{1}, int64_t{100'000}))
      ->capture_default_str();
  command_->add_option("--initial-model", initial_model_,
                       "Safetensors to start from. Default: the model's own initial weights");
  command_->add_option("--output", output_, "The safetensors file to write")->required();
  AddOutputFormat(*command_, output_format_);
}

absl::Status TrainCommand::Run(const CommandContext& context) const {
  ENTENTE_ASSIGN_OR_RETURN(const ModelChoice choice, model_.Choose(context.files, initial_model_));
  ENTENTE_ASSIGN_OR_RETURN(DatasetSource source, data_.Source());
  const AloneRequest request{.source = std::move(source), .rounds = rounds_, .output = output_};
  ProgressLog progress(context.clock);
  ENTENTE_ASSIGN_OR_RETURN(const UpdateResult result,
                           TrainAlone(context.files, context.clock, choice, request, progress));
  if (output_format_ == "json") {
    const ordered_json json = {{"output", result.output},
                               {"examples", result.examples},
                               {"rounds", rounds_},
                               {"steps", result.steps},
                               {"training_loss", result.training_loss},
                               {"seconds", result.seconds}};
    context.out << json.dump(2) << "\n";
  } else {
    context.out << absl::StrFormat(
        "%s: %d rounds on %d examples, %d steps, training loss %.4f, %.1f s\n", result.output,
        rounds_, result.examples, result.steps, result.training_loss, result.seconds);
  }
  return absl::OkStatus();
}

}  // namespace entente::trainer
