// SPDX-License-Identifier: Apache-2.0
#include "worker/metrics/worker_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/identity/certificate.h"
#include "tests/support/simulated_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente::worker {
namespace {

using ::testing::HasSubstr;

class WorkerMetricsTest : public ::testing::Test {
 protected:
  WorkerMetricsTest()
      : metrics_({.version = "9.9",
                  .coordinator = "c:7443",
                  .work_directory = folder_.path(),
                  .http_certificate = folder_.File("http.crt")},
                 &clock_, &files_) {}

  SimulatedClock clock_;
  PosixFileSystem files_;
  TempFolder folder_;
  WorkerMetrics metrics_;
};

// Trains for a minute and uploads for two seconds.
class SteadyRunner final : public TaskRunner {
 public:
  explicit SteadyRunner(SimulatedClock* clock) : clock_(*clock) {}
  TaskResult Run(const v1::Task&, absl::Time, const Report& report, const CancelToken&) override {
    report("training", {});
    clock_.Advance(absl::Minutes(1));
    report("training", {});
    report("uploading", {});
    clock_.Advance(absl::Seconds(2));
    return {.end = TaskResult::End::kRefused};
  }
  void Forget(const v1::TaskKey&) override {}
  void ForgetJob(const std::string&) override {}
  void Close() override {}

 private:
  SimulatedClock& clock_;
};

TEST_F(WorkerMetricsTest, TasksAreCountedAndTheirPartsTimed) {
  SteadyRunner runner(&clock_);
  ObservedRunner observed(&runner, &metrics_);
  v1::Task task;
  task.mutable_key()->set_kind(v1::TaskKey::KIND_TRAIN);
  std::vector<std::string> reported;
  const TaskResult result = observed.Run(
      task, absl::InfiniteFuture(),
      [&](absl::string_view activity, const StepProgress&) {
        reported.emplace_back(activity);
        if (reported.size() == 1) {
          EXPECT_THAT(metrics_.Render(),
                      HasSubstr("entente_worker_activity{activity=\"training\"} 1"));
        }
      },
      CancelToken());
  EXPECT_EQ(result.end, TaskResult::End::kRefused);
  EXPECT_EQ(reported.size(), 3u);
  const std::string text = metrics_.Render();
  EXPECT_THAT(text, HasSubstr("entente_worker_tasks_total{kind=\"train\",outcome=\"refused\"} 1"));
  EXPECT_THAT(text, HasSubstr("_duration_seconds_sum{activity=\"training\"} 60"));
  EXPECT_THAT(text, HasSubstr("_duration_seconds_sum{activity=\"uploading\"} 2"));
  EXPECT_THAT(text, HasSubstr("entente_worker_activity{activity=\"idle\"} 1"));
  EXPECT_THAT(text, HasSubstr("entente_worker_activity{activity=\"training\"} 0"));
}

TEST_F(WorkerMetricsTest, UnknownActivityIsOther) {
  metrics_.NoteActivity("doing \"something\" new");
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_worker_activity{activity=\"other\"} 1"));
}

TEST_F(WorkerMetricsTest, CertificateForBrowsersSaysWhenItExpires) {
  const auto certificate = CreateAuthority(
      {.trust_domain = "a.example", .display_name = "A", .validity = absl::Hours(24)},
      absl::FromUnixSeconds(1'700'000'000));
  folder_.Write("http.crt", certificate.value().certificate_pem);

  EXPECT_THAT(metrics_.Render(), HasSubstr("{holder=\"http\",member=\"\"} 1700086400"));
}

TEST_F(WorkerMetricsTest, IsReadyWhileAttached) {
  EXPECT_THAT(metrics_.readiness(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("not attached to the coordinator at c:7443; the log says why")));
  bool is_attached = true;
  metrics_.SetAttachedSource([&] { return is_attached; });
  EXPECT_THAT(metrics_.readiness(), IsOk());
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_worker_attached 1"));
  is_attached = false;
  EXPECT_THAT(metrics_.Render(), HasSubstr("entente_worker_attached 0"));
}

class OneUpload final : public Transfers {
 public:
  absl::StatusOr<ModelCache::Lease> Download(const Digest&, const std::string&, const TraceContext&,
                                             const ByteProgress& progress,
                                             const CancelToken&) override {
    progress(5, 50);
    return absl::NotFoundError("no such model");
  }
  absl::Status Upload(const v1::UploadHeader&, const std::string&, bool, const TraceContext&,
                      const ByteProgress&, const CancelToken&) override {
    return result;
  }
  absl::Status result;
};

TEST_F(WorkerMetricsTest, OnlyWhatArrivedCounts) {
  OneUpload transfers;
  ObservedTransfers observed(&transfers, &metrics_);
  v1::UploadHeader header;
  header.set_total_bytes(1000);
  const auto ignore = [](uint64_t, uint64_t) {};
  const TraceContext trace = TraceContext::Named("j");
  EXPECT_THAT(observed.Upload(header, "", false, trace, ignore, CancelToken()), IsOk());
  transfers.result = absl::UnavailableError("later");
  EXPECT_FALSE(observed.Upload(header, "", false, trace, ignore, CancelToken()).ok());
  EXPECT_FALSE(observed.Download(Digest(), "j", trace, ignore, CancelToken()).ok());
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("entente_worker_transfer_bytes_total{direction=\"up\"} 1000"));
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("entente_worker_transfer_bytes_total{direction=\"down\"} 0"));
}

}  // namespace
}  // namespace entente::worker
