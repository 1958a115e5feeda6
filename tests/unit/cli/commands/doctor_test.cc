// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/coordinator_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class DoctorTest : public CoordinatorFixture {
 protected:
  DoctorTest() {
    absl::MutexLock lock(&state().mu);
    state().version.set_version("1.2.3");
    state().version.set_protocol_version(1);
    state().version.set_caller("spiffe://alliance.example/submitter/someone");
  }

  ExitCode ExamineWay(const std::string& coordinator, const TlsPaths& tls) {
    return Run({"doctor", "--coordinator", coordinator, "--certificate", tls.certificate,
                "--private-key", tls.private_key, "--authority", tls.authority});
  }
};

TEST_F(DoctorTest, HealthyConnectionIsAllWell) {
  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kOk) << out();

  EXPECT_THAT(
      out(),
      AllOf(HasSubstr("ok    context"), HasSubstr("ok    certificate"), HasSubstr("ok    role"),
            HasSubstr("ok    name"), HasSubstr("ok    port"), HasSubstr("ok    tls"),
            HasSubstr("ok    authority"), HasSubstr("ok    coordinator"),
            HasSubstr("ok    version"), HasSubstr("ok    clock"), HasSubstr("ok    protocol")));
  EXPECT_THAT(out(), AllOf(Not(HasSubstr("FAIL")), Not(HasSubstr("warn"))));
}

TEST_F(DoctorTest, NameOfTheCertificateIsSaidOnce) {
  RunThere({"doctor"});

  const std::string name = "spiffe://alliance.example/submitter/someone";
  EXPECT_THAT(out(), AllOf(HasSubstr("ok    certificate    " + name),
                           HasSubstr("knows us by the certificate's name")));
  EXPECT_EQ(out().find(name), out().rfind(name)) << out();
}

TEST_F(DoctorTest, OtherNameThatTheCoordinatorHasForUsIsSaid) {
  {
    absl::MutexLock lock(&state().mu);
    state().version.set_caller("spiffe://alliance.example/submitter/other");
  }

  RunThere({"doctor"});

  EXPECT_THAT(out(), HasSubstr("takes us for spiffe://alliance.example/submitter/other"));
}

TEST_F(DoctorTest, EachRoleIsToldWhatItMay) {
  RunThere({"doctor"});
  EXPECT_THAT(out(), HasSubstr("submitter: may submit jobs, pause and cancel its own"));

  Run({"pki", "init", "--trust-domain", "own.example", "--directory", folder_.File("own")});
  for (const auto& [role, may] : {std::pair("operator", "operator: may submit, pause and cancel"),
                                  std::pair("observer", "observer: may look at everything, and")}) {
    Run({"pki", "issue", "--authority", folder_.File("own"), "--role", role, "--name", "me",
         "--output", folder_.File("own")});
    const std::string files = absl::StrCat("own/", role, "-me");
    ExamineWay(coordinator_.address(), {.certificate = folder_.File(files + ".crt"),
                                        .private_key = folder_.File(files + ".key"),
                                        .authority = folder_.File("own/authority.crt")});
    EXPECT_THAT(out(), HasSubstr(may));
  }
}

TEST_F(DoctorTest, FirstStepThatFailsIsTheLast) {
  coordinator_.Stop();

  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("ok    name"), HasSubstr("FAIL  port"), HasSubstr("refuses"),
                           Not(HasSubstr("protocol"))));
}

TEST_F(DoctorTest, NameThatNobodyKnowsFailsAtTheName) {
  EXPECT_EQ(ExamineWay("no-such-host.invalid:7443", coordinator_.client_tls()), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  name"), HasSubstr("no-such-host.invalid"),
                           Not(HasSubstr("  port"))));
}

TEST_F(DoctorTest, AddressThatIsNoneFailsAtTheName) {
  EXPECT_EQ(ExamineWay("nonsense", coordinator_.client_tls()), ExitCode::kFailed);

  EXPECT_THAT(out(), HasSubstr("FAIL  name"));
}

TEST_F(DoctorTest, AuthorityOfSomebodyElseFailsAtTheAuthority) {
  Run({"pki", "init", "--trust-domain", "other.example", "--directory", folder_.File("other")});

  TlsPaths tls = coordinator_.client_tls();
  tls.authority = folder_.File("other/authority.crt");

  EXPECT_EQ(ExamineWay(coordinator_.address(), tls), ExitCode::kFailed);

  EXPECT_THAT(out(),
              AllOf(HasSubstr("ok    tls"), HasSubstr("FAIL  authority"),
                    HasSubstr("get the coordinator's authority file"), Not(HasSubstr("  clock"))));
}

TEST_F(DoctorTest, CertificateThatTheCoordinatorDoesNotKnowFailsAtTheAuthority) {
  Run({"pki", "init", "--trust-domain", "other.example", "--directory", folder_.File("other")});
  Run({"pki", "issue", "--authority", folder_.File("other"), "--role", "submitter", "--name", "me",
       "--output", folder_.File("other")});

  TlsPaths tls = coordinator_.client_tls();
  tls.certificate = folder_.File("other/submitter-me.crt");
  tls.private_key = folder_.File("other/submitter-me.key");

  EXPECT_EQ(ExamineWay(coordinator_.address(), tls), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("ok    port"), HasSubstr("FAIL  authority")));
}

TEST_F(DoctorTest, CertificateOfAWorkerGivesNoCommands) {
  EXPECT_EQ(ExamineWay(coordinator_.address(), coordinator_.worker_tls()), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  role"), HasSubstr("gives no commands"),
                           HasSubstr("pki issue --role submitter")));
}

TEST_F(DoctorTest, ClockThatIsOffFailsWithItsFix) {
  {
    absl::MutexLock lock(&state().mu);
    state().clock_ahead = absl::Minutes(5);
  }

  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  clock"), HasSubstr("behind the coordinator's"),
                           HasSubstr("NTP")));
}

TEST_F(DoctorTest, CoordinatorThatDoesNotTellItsTimeIsWarnedAbout) {
  {
    absl::MutexLock lock(&state().mu);
    state().clock_ahead = std::nullopt;
  }

  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kOk);

  EXPECT_THAT(out(), HasSubstr("warn  clock"));
}

TEST_F(DoctorTest, OtherVersionIsWarnedAbout) {
  {
    absl::MutexLock lock(&state().mu);
    state().version.set_version("9.9.9");
  }

  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("warn  version"), HasSubstr("has 9.9.9, this machine 1.2.3")));
}

TEST_F(DoctorTest, OtherProtocolIsAFailure) {
  {
    absl::MutexLock lock(&state().mu);
    state().version.set_protocol_version(2);
  }

  EXPECT_EQ(RunThere({"doctor", "-o", "json"}), ExitCode::kFailed);

  EXPECT_EQ(OutJson()["ok"], false);
  EXPECT_EQ(OutJson()["checks"].back()["name"], "protocol");
}

TEST_F(DoctorTest, NoContextIsAFailureWithItsFix) {
  EXPECT_EQ(Run({"doctor"}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  context"), HasSubstr("entente context set")));
}

std::string WorkerConfig(const TempFolder& folder, const std::string& coordinator,
                         const TlsPaths& tls) {
  folder.Write("data/train.csv", "a,b\n1,2\n");
  folder.Write("policy.yaml", "apiVersion: entente/v1\nkind: LocalPolicy\n");
  return folder.Write(
      "worker.yaml",
      absl::StrCat("apiVersion: entente/v1\nkind: Worker\ncoordinator: ", coordinator,
                   "\ntls: {certificate: ", tls.certificate, ", privateKey: ", tls.private_key,
                   ", authority: ", tls.authority, "}\nworkDirectory: work\npolicy: policy.yaml\n",
                   "datasets:\n  - {name: d, format: csv, directory: data}\n"));
}

TEST_F(DoctorTest, WorkersConfigurationIsExaminedWithItsOwnCertificate) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kOk) << out() << error();

  EXPECT_THAT(out(), AllOf(HasSubstr("1 data set"), HasSubstr("ok    policy"),
                           HasSubstr("ok    role"), HasSubstr("ok    coordinator"),
                           HasSubstr("ok    memory"), HasSubstr("free at")));
  // The fixture's data set has no held-out data, and its machine no entente-worker.
  EXPECT_THAT(out(), AllOf(HasSubstr("warn  data"), HasSubstr("warn  trainer")));
}

TEST_F(DoctorTest, WorkerThatHoldsItsLockRuns) {
  const std::string worker =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());
  EXPECT_EQ(Run({"doctor", "--config", worker}), ExitCode::kOk) << out();
  EXPECT_THAT(out(), HasSubstr("warn  worker         does not run; start it with"));

  folder_.Write("work/lock", "");
  ASSERT_OK_AND_ASSIGN(const auto held,
                       files_.Lock(folder_.File("work/lock"), LockKind::kExclusive));
  EXPECT_EQ(Run({"doctor", "--config", worker}), ExitCode::kOk) << out();
  EXPECT_THAT(out(), HasSubstr("ok    worker         runs: "));
}

TEST_F(DoctorTest, WorkersTrainerThatDoesNotStartFails) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());
  std::filesystem::create_directories(folder_.File("bin"));
  std::filesystem::rename(
      WriteProgram("entente-worker", "echo 'entente-worker: trainer.command: no' >&2; exit 2"),
      folder_.File("bin/entente-worker"));

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  trainer"), HasSubstr("trainer.command: no"),
                           HasSubstr("ok    coordinator")));
}

TEST_F(DoctorTest, WorkersMissingDataFails) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());
  std::filesystem::rename(folder_.File("data/train.csv"), folder_.File("data/elsewhere.csv"));

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  data"), HasSubstr("there is no train.csv")));
}

TEST_F(DoctorTest, LowDiskAndMemoryAreWhatTheOptionsSay) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());

  EXPECT_EQ(
      Run({"doctor", "--config", config, "--disk-min", "1000000000", "--memory-min", "1000000000"}),
      ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  disk"), HasSubstr("FAIL  memory"),
                           HasSubstr("less than 953.7 TiB")));
}

TEST_F(DoctorTest, WorkersCertificateOfAnotherRoleIsNamed) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.client_tls());

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  role"), HasSubstr("is for the role submitter")));
}

TEST_F(DoctorTest, CoordinatorsConfigurationIsExaminedWithItsMembers) {
  Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", folder_.File("fr")});
  const std::string config = folder_.Write(
      "coordinator.yaml",
      absl::StrCat("apiVersion: entente/v1\nkind: Coordinator\ndataDirectory: data\n",
                   "tls: {certificate: tls/server.crt, privateKey: tls/server.key}\n",
                   "alliance: {trustDomain: alliance.example, authority: tls/authority.crt}\n",
                   "members:\n  - id: fr-lab\n    jurisdiction: FR\n",
                   "    trustDomain: fr-lab.example\n    authority: fr/authority.crt\n"));

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kOk) << out() << error();

  EXPECT_THAT(out(),
              AllOf(HasSubstr("ok    certificate"), HasSubstr("fr-lab: spiffe://fr-lab.example"),
                    HasSubstr("warn  coordinator    does not run"), HasSubstr("ok    port"),
                    HasSubstr("free at"), HasSubstr("ok    memory")));

  folder_.Write("data/journal.sqlite.lock", "");
  ASSERT_OK_AND_ASSIGN(const auto held,
                       files_.Lock(folder_.File("data/journal.sqlite.lock"), LockKind::kExclusive));
  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kOk) << out() << error();
  EXPECT_THAT(out(), HasSubstr("ok    coordinator    runs: "));
}

TEST_F(DoctorTest, HttpOfACoordinatorAndOfAWorkerIsExamined) {
  Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", folder_.File("fr")});
  folder_.Write("token", "short");
  std::filesystem::permissions(folder_.File("token"), std::filesystem::perms::owner_read);
  const std::string http = "http: {listen: '127.0.0.1:0', tokenFile: token}\n";
  const std::string coordinator = folder_.Write(
      "coordinator.yaml",
      absl::StrCat("apiVersion: entente/v1\nkind: Coordinator\ndataDirectory: data\n", http,
                   "tls: {certificate: tls/server.crt, privateKey: tls/server.key}\n",
                   "alliance: {trustDomain: alliance.example, authority: tls/authority.crt}\n",
                   "members:\n  - id: fr-lab\n    jurisdiction: FR\n",
                   "    trustDomain: fr-lab.example\n    authority: fr/authority.crt\n"));
  EXPECT_EQ(Run({"doctor", "--config", coordinator}), ExitCode::kFailed);
  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  http"), HasSubstr("a token is one word"),
                           HasSubstr("openssl rand -hex 32")));

  const std::string worker =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.worker_tls());
  EXPECT_EQ(Run({"doctor", "--config", worker}), ExitCode::kOk) << out();
  EXPECT_THAT(out(), Not(HasSubstr("http")));

  ASSERT_OK_AND_ASSIGN(const std::string text, ReadTextFile(files_, worker, 10'000));
  folder_.Write("worker.yaml", text + http);
  EXPECT_EQ(Run({"doctor", "--config", worker}), ExitCode::kFailed);
  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  http"), HasSubstr("a token is one word")));
}

TEST_F(DoctorTest, KindIsReadAsYamlWritesIt) {
  for (const char* kind :
       {"kind: \"Coordinator\"", "kind: Coordinator  # main", "'kind':    'Coordinator'"}) {
    const std::string config = folder_.Write(
        "coordinator.yaml", absl::StrCat("apiVersion: entente/v1\n", kind, "\nfederation: none\n"));

    EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

    // A coordinator's file with a key that it does not have, not a worker's of another kind.
    EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  configuration"), HasSubstr("federation"),
                             Not(HasSubstr("kind: Worker"))))
        << kind;
  }
}

TEST_F(DoctorTest, KindInsideOfAnotherKeyIsNotTheFiles) {
  const std::string config = folder_.Write(
      "worker.yaml", "apiVersion: entente/v1\nkind: Worker\nfederation:\n  kind: Coordinator\n");

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("federation"), Not(HasSubstr("kind is"))));
}

TEST_F(DoctorTest, CoordinatorsLowDiskFailsAtItsOwnLimit) {
  Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", folder_.File("fr")});
  const std::string config = folder_.Write(
      "coordinator.yaml",
      absl::StrCat("apiVersion: entente/v1\nkind: Coordinator\ndataDirectory: data\n",
                   "listen: ", coordinator_.address(), "\n",
                   "tls: {certificate: tls/server.crt, privateKey: tls/server.key}\n",
                   "alliance: {trustDomain: alliance.example, authority: tls/authority.crt}\n",
                   "limits: {freeBytesMin: 1000000000000000}\n",
                   "members:\n  - id: fr-lab\n    jurisdiction: FR\n",
                   "    trustDomain: fr-lab.example\n    authority: fr/authority.crt\n"));

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  disk"), HasSubstr("limits.freeBytesMin"),
                           HasSubstr("is taken")));
}

TEST_F(DoctorTest, DiskWithoutRoomForAJournalFailsWhateverTheCoordinatorsLimit) {
  Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", folder_.File("fr")});
  const std::string config = folder_.Write(
      "coordinator.yaml",
      absl::StrCat("apiVersion: entente/v1\nkind: Coordinator\ndataDirectory: data\n",
                   "tls: {certificate: tls/server.crt, privateKey: tls/server.key}\n",
                   "alliance: {trustDomain: alliance.example, authority: tls/authority.crt}\n",
                   "limits: {freeBytesMin: 0}\n",
                   "members:\n  - id: fr-lab\n    jurisdiction: FR\n",
                   "    trustDomain: fr-lab.example\n    authority: fr/authority.crt\n"));
  FaultyFileSystem nearly_full;
  nearly_full.bytes_left = 1'200'000;
  file_system_ = &nearly_full;

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);
  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  disk"), HasSubstr("1.1 MiB free at"),
                           HasSubstr("less than 8.0 MiB"), HasSubstr("for the journal's log")));

  Run({"doctor", "--config", config, "--disk-min", "0"});
  EXPECT_THAT(out(), HasSubstr("ok    disk"));
}

TEST_F(DoctorTest, MissingConfigurationIsAFailure) {
  EXPECT_EQ(Run({"doctor", "--config", folder_.File("missing.yaml")}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("FAIL  configuration"), HasSubstr("missing.yaml")));
}

}  // namespace
}  // namespace entente::cli
