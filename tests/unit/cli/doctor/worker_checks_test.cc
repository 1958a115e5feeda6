// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/worker_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_folder.h"

namespace entente::cli {
namespace {

using config::v1::Dataset;
using ::testing::AllOf;
using ::testing::HasSubstr;

class WorkerChecksTest : public testing::Test {
 protected:
  Finding Examined(Dataset::Format format) {
    Dataset dataset;
    dataset.set_name("scans");
    dataset.set_format(format);
    dataset.set_directory(folder_.File("data"));
    PosixFileSystem files;
    Examination examination;
    CheckDataset(files, dataset, &examination);
    EXPECT_EQ(examination.findings().size(), 1U);
    return examination.findings()[0];
  }

  // A worker that ends as `script` does, beside entente.
  Finding TriedTrainer(const std::string& script) {
    const std::string path =
        folder_.Write("bin/entente-worker", absl::StrCat("#!/bin/sh\n", script));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return Tried({.program_path = folder_.File("bin/entente"), .path = ""});
  }

  Finding Tried(const WorkerSearch& search) {
    Examination examination;
    CheckTrainer(search, "worker.yaml", &examination);
    return examination.findings()[0];
  }

  TempFolder folder_;
};

TEST_F(WorkerChecksTest, DataOfEachFormatIsFound) {
  folder_.Write("data/train.csv", "a,b\n1,2\n");
  folder_.Write("data/held-out.csv", "a,b\n1,2\n");
  folder_.Write("data/train-images-idx3-ubyte.gz", "x");
  folder_.Write("data/train-labels-idx1-ubyte", "x");
  folder_.Write("data/held-out-images-idx3-ubyte", "x");
  folder_.Write("data/held-out-labels-idx1-ubyte", "x");
  folder_.Write("data/train.safetensors", "x");
  folder_.Write("data/held-out.safetensors", "x");

  EXPECT_EQ(Examined(Dataset::FORMAT_CSV).verdict, Verdict::kOk);
  EXPECT_EQ(Examined(Dataset::FORMAT_IDX).verdict, Verdict::kOk);
  EXPECT_EQ(Examined(Dataset::FORMAT_SAFETENSORS).verdict, Verdict::kOk);
  EXPECT_THAT(Examined(Dataset::FORMAT_CSV).seen,
              HasSubstr("scans: 8 B to train on, 8 B held out"));
}

TEST_F(WorkerChecksTest, MissingTrainingDataFailsNamingTheFile) {
  folder_.Write("data/other.txt", "x");

  const Finding finding = Examined(Dataset::FORMAT_IDX);

  EXPECT_EQ(finding.verdict, Verdict::kFail);
  EXPECT_THAT(finding.seen, AllOf(HasSubstr("scans: there is no train-images-idx3-ubyte or"),
                                  HasSubstr(folder_.File("data"))));
  EXPECT_THAT(finding.fix, HasSubstr("put the training data there"));
}

TEST_F(WorkerChecksTest, EmptyTrainingDataFails) {
  folder_.Write("data/train.csv", "");

  EXPECT_EQ(Examined(Dataset::FORMAT_CSV).verdict, Verdict::kFail);
  EXPECT_THAT(Examined(Dataset::FORMAT_CSV).seen, HasSubstr("train.csv is empty"));
}

TEST_F(WorkerChecksTest, MissingHeldOutDataIsWarnedAbout) {
  folder_.Write("data/train.csv", "a,b\n1,2\n");

  EXPECT_EQ(Examined(Dataset::FORMAT_CSV).verdict, Verdict::kWarn);
  EXPECT_THAT(Examined(Dataset::FORMAT_CSV).seen, HasSubstr("there is no held-out.csv"));
}

TEST_F(WorkerChecksTest, TrainerThatStartsIsWell) {
  const Finding finding =
      TriedTrainer("[ \"$*\" = '--config worker.yaml --check-trainer' ] || exit 9\n");

  EXPECT_EQ(finding.verdict, Verdict::kOk);
}

TEST_F(WorkerChecksTest, TrainerThatDoesNotStartFailsInTheWorkersWords) {
  const Finding finding = TriedTrainer(
      "echo noise >&2; echo 'entente-worker: bubblewrap says no; install it' >&2; exit 1\n");

  EXPECT_EQ(finding.verdict, Verdict::kFail);
  EXPECT_EQ(finding.seen, "bubblewrap says no");
  EXPECT_EQ(finding.fix, "install it");
}

TEST_F(WorkerChecksTest, WorkerThatSaysNothingIsToBeRunByHand) {
  const Finding finding = TriedTrainer("exit 3\n");

  EXPECT_EQ(finding.verdict, Verdict::kFail);
  EXPECT_THAT(finding.seen, HasSubstr("ended with 3"));
  EXPECT_THAT(finding.fix, HasSubstr("--check-trainer"));
}

TEST_F(WorkerChecksTest, WithoutAWorkerHereTheTrainerIsNotTried) {
  const Finding finding = Tried({.program_path = folder_.File("bin/entente"), .path = "/nowhere"});

  EXPECT_EQ(finding.verdict, Verdict::kWarn);
  EXPECT_THAT(finding.seen, HasSubstr("was not tried"));
}

}  // namespace
}  // namespace entente::cli
