// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
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
    state().version.set_version("9.9.9");
    state().version.set_protocol_version(1);
    state().version.set_caller("spiffe://alliance.example/submitter/someone");
  }
};

TEST_F(DoctorTest, HealthyConnectionIsAllTicks) {
  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kOk) << out();

  EXPECT_THAT(out(),
              AllOf(HasSubstr("✓ context"), HasSubstr("✓ certificate"), HasSubstr("✓ connection"),
                    HasSubstr("✓ coordinator"), HasSubstr("✓ protocol"), Not(HasSubstr("✗"))));
}

TEST_F(DoctorTest, FirstStepThatFailsIsTheLast) {
  coordinator_.Stop();

  EXPECT_EQ(RunThere({"doctor"}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("✓ certificate"), HasSubstr("✗ connection"),
                           HasSubstr("refuses"), Not(HasSubstr("protocol"))));
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

  EXPECT_THAT(out(), AllOf(HasSubstr("✗ context"), HasSubstr("entente context set")));
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

  EXPECT_THAT(out(), AllOf(HasSubstr("1 data set"), HasSubstr("✓ policy"), HasSubstr("✓ role"),
                           HasSubstr("✓ coordinator")));
}

TEST_F(DoctorTest, WorkersCertificateOfAnotherRoleIsNamed) {
  const std::string config =
      WorkerConfig(folder_, coordinator_.address(), coordinator_.client_tls());

  EXPECT_EQ(Run({"doctor", "--config", config}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("✗ role"), HasSubstr("is for the role submitter")));
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
              AllOf(HasSubstr("✓ certificate"), HasSubstr("fr-lab: spiffe://fr-lab.example")));
}

TEST_F(DoctorTest, MissingConfigurationIsAFailure) {
  EXPECT_EQ(Run({"doctor", "--config", folder_.File("missing.yaml")}), ExitCode::kFailed);

  EXPECT_THAT(out(), AllOf(HasSubstr("✗ configuration"), HasSubstr("missing.yaml")));
}

}  // namespace
}  // namespace entente::cli
