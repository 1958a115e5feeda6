// SPDX-License-Identifier: Apache-2.0
// Who is not let in, and what they are told.
#include <gmock/gmock.h>

#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

class AdmissionTest : public FederationTest {
 protected:
  AdmissionTest() { StartCoordinator(); }

  // A stranger's authority and worker certificate, which claim to be fr-lab's.
  void MakeImpostor(const std::string& trust_domain) {
    Pki({"init", "--trust-domain", trust_domain, "--name", "Impostor", "--directory",
         folder_.File("impostor")});
    Pki({"issue", "--authority", folder_.File("impostor"), "--role", "worker", "--name", "w",
         "--output", folder_.File("impostor")});
  }
};

TEST_F(AdmissionTest, CertificateOfAnUnknownAuthorityIsRefusedAndTheWorkerSaysSo) {
  MakeImpostor("fr-lab.example");

  StartWorker("fr-lab", {.certificate_of = "impostor"});

  EXPECT_TRUE(worker("fr-lab").WaitForOutput("certificate")) << worker("fr-lab").Output();
  EXPECT_FALSE(coordinator().WaitForOutput("worker attached", absl::Seconds(1)));
}

TEST_F(AdmissionTest, WrongRoleIsNamedToTheWorker) {
  Pki({"issue", "--authority", folder_.File("fr-lab"), "--role", "observer", "--name", "o",
       "--output", folder_.File("fr-lab")});

  StartWorker("fr-lab", {.certificate = "observer-o"});

  EXPECT_TRUE(worker("fr-lab").WaitForOutput("which may not take part in rounds"))
      << worker("fr-lab").Output();
}

TEST_F(AdmissionTest, ObserverMayNotSubmitAndIsToldWhoMay) {
  Pki({"issue", "--authority", folder_.File("alliance"), "--role", "observer", "--name", "o",
       "--output", folder_.File("alliance")});

  const Finished refused =
      Entente({"job", "submit", WriteRecipe(1, "  quorum: {count: 1}\n")}, "observer-o");

  EXPECT_EQ(refused.exit_status, 4) << refused.standard_error;
  EXPECT_THAT(refused.standard_error,
              HasSubstr("has the role observer, which may not submit jobs; use a certificate with "
                        "one of: submitter, operator"));
}

TEST_F(AdmissionTest, MemberCannotMakeItselfAnOperator) {
  Pki({"issue", "--authority", folder_.File("fr-lab"), "--role", "operator", "--name", "boss",
       "--output", folder_.File("alliance")});

  const Finished refused = Entente({"job", "list"}, "operator-boss");

  EXPECT_EQ(refused.exit_status, 4) << refused.standard_error;
}

TEST_F(AdmissionTest, NameThatDoesNotResolveIsSaid) {
  StartWorker("fr-lab", {.coordinator = "no-such-host.invalid:7443"});

  EXPECT_TRUE(worker("fr-lab").WaitForOutput("no-such-host.invalid")) << worker("fr-lab").Output();
}

TEST_F(AdmissionTest, RefusedConnectionIsSaidAndTriedAgain) {
  StopCoordinator();

  StartWorker("fr-lab");
  EXPECT_TRUE(worker("fr-lab").WaitForOutput("refuses connections")) << worker("fr-lab").Output();
  StartCoordinator();

  WaitForWorkers(1);
}

}  // namespace
}  // namespace entente
