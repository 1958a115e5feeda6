// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "common/base/trace_context.h"
#include "common/crypto/sha256.h"
#include "common/recipe/recipe.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"
#include "tests/unit/cli/top/fake_screen.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class JobSubmitTest : public CoordinatorFixture {
 protected:
  // A recipe with initial weights, which needs no trainer.
  std::string RecipeWithWeights() {
    WriteModel("weights.safetensors");
    return WriteRecipe("  initialWeights: {file: weights.safetensors}\n");
  }
};

TEST_F(JobSubmitTest, DryRunsDigestIsThatOfTheLinesBelow) {
  EXPECT_EQ(Run({"job", "submit", WriteRecipe(), "--dry-run"}), ExitCode::kOk);

  const size_t newline = out().find('\n');
  const std::string first = out().substr(0, newline);
  const std::string below = out().substr(newline + 1);
  EXPECT_EQ(first, absl::StrCat("# sha256:", Sha256Of(below).ToHex(), " of the lines below"));
  ASSERT_OK_AND_ASSIGN(const v1::Recipe recipe, ParseRecipe(out(), "dry-run"));
  EXPECT_EQ(recipe.rounds(), 10u);
}

TEST_F(JobSubmitTest, EmptyTokenIsBadUsage) {
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--token", ""}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("--token: it is empty"));
  absl::MutexLock lock(&state().mu);
  EXPECT_TRUE(state().submissions.empty());
}

TEST_F(JobSubmitTest, DryRunAsJsonHasRecipeAndDigest) {
  EXPECT_EQ(Run({"job", "submit", WriteRecipe(), "--dry-run", "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["recipe"]["name"], "fashion-mnist");
  EXPECT_EQ(OutJson()["recipe"]["rounds"], 10);
  EXPECT_EQ(OutJson()["digest"].get<std::string>().size(), 64u);
}

TEST_F(JobSubmitTest, DryRunFillsInTheDigestsOfFiles) {
  const std::string recipe = RecipeWithWeights();
  ASSERT_OK_AND_ASSIGN(const Digest digest,
                       Sha256OfFile(files_, folder_.File("weights.safetensors")));

  EXPECT_EQ(Run({"job", "submit", recipe, "--dry-run"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr(digest.ToHex()));
}

TEST_F(JobSubmitTest, JsonNamesTheJobsTrace) {
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["job"]["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(JobSubmitTest, GoesOnWithTheTraceThatItRunsFor) {
  environment_.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights()}), ExitCode::kOk);

  absl::MutexLock lock(&state().mu);
  ASSERT_EQ(state().traceparents.size(), 1u);
  EXPECT_THAT(state().traceparents[0], StartsWith("00-0af7651916cd43dd8448eb211c80319c-"));
}

TEST_F(JobSubmitTest, BeginsATraceWhereThereIsNoneToGoOnWith) {
  environment_.traceparent = "nonsense";
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights()}), ExitCode::kOk);
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights()}), ExitCode::kOk);

  absl::MutexLock lock(&state().mu);
  ASSERT_EQ(state().traceparents.size(), 2u);
  EXPECT_THAT(TraceContext::Parse(state().traceparents[0]), IsOk());
  EXPECT_NE(state().traceparents[0], state().traceparents[1]);
}

TEST_F(JobSubmitTest, UploadsTheModelAndSubmits) {
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights()}), ExitCode::kOk);

  EXPECT_EQ(out(), "job fashion-mnist-1 submitted\n");
  absl::MutexLock lock(&state().mu);
  ASSERT_EQ(state().submissions.size(), 1u);
  const v1::SubmitJobRequest& request = state().submissions.front();
  EXPECT_EQ(request.recipe().rounds(), 10u);
  EXPECT_EQ(state().blobs.count(request.initial_model_digest()), 1u);
  EXPECT_EQ(request.recipe().model().initial_weights().digest(), request.initial_model_digest());
}

TEST_F(JobSubmitTest, KnownTokenIsAlreadySubmitted) {
  const std::string recipe = RecipeWithWeights();
  RunThere({"job", "submit", recipe, "--token", "t"});

  EXPECT_EQ(RunThere({"job", "submit", recipe, "--token", "t"}), ExitCode::kOk);

  EXPECT_EQ(out(), "job fashion-mnist-1 already submitted\n");
}

TEST_F(JobSubmitTest, JsonSaysWhetherTheJobIsNew) {
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "-o", "json"}), ExitCode::kOk);

  EXPECT_EQ(OutJson()["created"], true);
  EXPECT_EQ(OutJson()["job"]["id"], "fashion-mnist-1");
}

TEST_F(JobSubmitTest, TrainerMakesTheModelOfABuiltInArchitecture) {
  const std::string made = WriteModel("made.safetensors");
  const std::string trainer = WriteProgram("trainer", absl::StrCat("cp ", made, " \"$5\""));

  EXPECT_EQ(RunThere({"job", "submit", WriteRecipe(), "--trainer", trainer}), ExitCode::kOk);

  ASSERT_OK_AND_ASSIGN(const Digest digest, Sha256OfFile(files_, made));
  absl::MutexLock lock(&state().mu);
  EXPECT_EQ(state().submissions.front().initial_model_digest(), digest.ToHex());
}

TEST_F(JobSubmitTest, TorchScriptProgramIsUploadedToo) {
  folder_.Write("model.pt", "a program");
  WriteModel("weights.safetensors");
  const std::string recipe = folder_.Write("recipe.yaml",
                                           "apiVersion: entente/v1\n"
                                           "kind: Recipe\n"
                                           "name: scripted\n"
                                           "purpose: research\n"
                                           "dataset: d\n"
                                           "task: regression\n"
                                           "model:\n"
                                           "  torchscript: {file: model.pt}\n"
                                           "  initialWeights: {file: weights.safetensors}\n");

  EXPECT_EQ(RunThere({"job", "submit", recipe}), ExitCode::kOk) << error();

  absl::MutexLock lock(&state().mu);
  EXPECT_EQ(state().blobs[Sha256Of("a program").ToHex()], "a program");
}

TEST_F(JobSubmitTest, WithoutTrainerAndWeightsNothingIsSent) {
  EXPECT_EQ(RunThere({"job", "submit", WriteRecipe()}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("model.initialWeights"));
  absl::MutexLock lock(&state().mu);
  EXPECT_TRUE(state().submissions.empty());
}

TEST_F(JobSubmitTest, MissingRecipeIsBadInput) {
  EXPECT_EQ(RunThere({"job", "submit", folder_.File("missing.yaml")}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("missing.yaml"));
}

TEST_F(JobSubmitTest, MisspeltKeyIsRefusedWithItsPlaceAndTheNearest) {
  EXPECT_EQ(RunThere({"job", "submit", WriteRecipe("rouns: 3\n")}), ExitCode::kBadInput);

  EXPECT_THAT(error(), AllOf(HasSubstr("recipe.yaml:12:1"), HasSubstr("did you mean \"rounds\"?")));
}

TEST_F(JobSubmitTest, MissingWeightsAreNamed) {
  EXPECT_EQ(
      RunThere({"job", "submit", WriteRecipe("  initialWeights: {file: none.safetensors}\n")}),
      ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("none.safetensors"));
}

TEST_F(JobSubmitTest, TokenOverItsLimitIsRefused) {
  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--token", std::string(129, 't')}),
            ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("at most 128"));
}

TEST_F(JobSubmitTest, WatchFollowsTheJob) {
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{EndedJob(v1::JOB_STATE_FAILED, "quorum lost")}};
  }

  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--watch"}),
            ExitCode::kJobNotCompleted);

  EXPECT_THAT(out(),
              AllOf(StartsWith("job fashion-mnist-1 submitted\n"), HasSubstr("quorum lost")));
}

TEST_F(JobSubmitTest, WatchHasTheWholeScreenOfATerminal) {
  v1::Job job = RunningJob(0);
  job.set_id("fashion-mnist-1");
  SetJobs({job});
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{job}};
  }
  FakeTerminal terminal;
  terminal_ = &terminal;
  std::string frame;
  open_screen_ = [&frame]() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return std::make_unique<FakeScreen>([&frame](const std::string& drawn) {
      frame = drawn;
      return Key::kQuit;
    });
  };

  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--watch", "--no-color"}),
            ExitCode::kInterrupted);

  EXPECT_EQ(out(), "job fashion-mnist-1 submitted\n");
  EXPECT_THAT(frame,
              AllOf(HasSubstr("fashion-mnist-1  running"), HasSubstr("q leave, the job goes on")));
  EXPECT_THAT(terminal.written, HasSubstr("fashion-mnist-1"));
  EXPECT_THAT(error(), HasSubstr("stopped watching; the job goes on"));
}

TEST_F(JobSubmitTest, WatchWithoutAScreenIsLinesForTheJobIsSubmitted) {
  FakeTerminal terminal;
  terminal_ = &terminal;
  open_screen_ = []() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return absl::InvalidArgumentError("the terminal's type is not known on this machine");
  };
  v1::Job job = RunningJob(0);
  job.set_id("fashion-mnist-1");
  SetJobs({job});
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{EndedJob(v1::JOB_STATE_COMPLETED, "every round was committed")}};
  }

  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--watch"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(StartsWith("job fashion-mnist-1 submitted\n"),
                           HasSubstr("completed after 3 min 20 s")));
  EXPECT_THAT(error(), HasSubstr("is not known on this machine"));
  EXPECT_EQ(terminal.written, "");
}

TEST_F(JobSubmitTest, WatchForProgramsNeverHasTheScreen) {
  open_screen_ = []() -> absl::StatusOr<std::unique_ptr<Screen>> {
    return absl::InternalError("nobody wants a screen");
  };
  {
    absl::MutexLock lock(&state().mu);
    state().watch_streams = {{EndedJob(v1::JOB_STATE_COMPLETED, "")}};
  }

  EXPECT_EQ(RunThere({"job", "submit", RecipeWithWeights(), "--watch", "-o", "json"}),
            ExitCode::kOk);

  EXPECT_EQ(OutJson()["state"], "completed");
}

}  // namespace
}  // namespace entente::cli
