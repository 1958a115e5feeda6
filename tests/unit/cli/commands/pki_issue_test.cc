// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "common/identity/certificate.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PkiIssueTest : public CommandFixture {
 protected:
  PkiIssueTest() {
    EXPECT_EQ(Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", authority_}),
              ExitCode::kOk);
  }

  ExitCode Issue(std::vector<std::string> options) {
    options.insert(options.begin(),
                   {"pki", "issue", "--authority", authority_, "--output", output_});
    return Run(options);
  }

  std::string Text(const std::string& path) { return ReadTextFile(files_, path, 1 << 20).value(); }

  const std::string authority_ = folder_.File("ca");
  const std::string output_ = folder_.File("out");
};

TEST_F(PkiIssueTest, MakesACertificateWithTheSpiffeId) {
  EXPECT_EQ(Issue({"--role", "worker", "--name", "gpu-1"}), ExitCode::kOk) << error();

  ASSERT_OK_AND_ASSIGN(const CertificateDescription description,
                       DescribeCertificate(Text(output_ + "/worker-gpu-1.crt")));
  EXPECT_EQ(description.spiffe_id, "spiffe://fr-lab.example/worker/gpu-1");
  EXPECT_FALSE(description.is_authority);
  EXPECT_THAT(
      CheckKeyFits(Text(output_ + "/worker-gpu-1.crt"), Text(output_ + "/worker-gpu-1.key")),
      IsOk());
  struct stat info = {};
  ASSERT_EQ(stat((output_ + "/worker-gpu-1.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(PkiIssueTest, CoordinatorGetsTheNamesItIsDialledBy) {
  EXPECT_EQ(Issue({"--role", "coordinator", "--name", "main", "--dns", "localhost", "--dns",
                   "coordinator.example", "--ip", "127.0.0.1"}),
            ExitCode::kOk)
      << error();

  ASSERT_OK_AND_ASSIGN(const CertificateDescription description,
                       DescribeCertificate(Text(output_ + "/coordinator-main.crt")));
  EXPECT_THAT(description.dns_names, ElementsAre("localhost", "coordinator.example"));
  EXPECT_THAT(description.ip_addresses, ElementsAre("127.0.0.1"));
}

TEST_F(PkiIssueTest, CoordinatorWithoutANameToDialIsRefused) {
  EXPECT_EQ(Issue({"--role", "coordinator", "--name", "main"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("--dns NAME or --ip ADDRESS"));
  EXPECT_FALSE(files_.Exists(output_));
}

TEST_F(PkiIssueTest, MisspeltRoleIsAnsweredWithTheNearest) {
  EXPECT_EQ(Issue({"--role", "wroker", "--name", "gpu-1"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("did you mean \"worker\"?"));
}

TEST_F(PkiIssueTest, MalformedNameIsRefused) {
  EXPECT_EQ(Issue({"--role", "worker", "--name", "GPU 1"}), ExitCode::kBadInput);
  EXPECT_EQ(Issue({"--role", "worker", "--name", "../../x"}), ExitCode::kBadInput);

  EXPECT_FALSE(files_.Exists(output_));
}

TEST_F(PkiIssueTest, ExistingCertificateIsNotOverwritten) {
  Issue({"--role", "worker", "--name", "gpu-1"});
  const std::string before = Text(output_ + "/worker-gpu-1.key");

  EXPECT_EQ(Issue({"--role", "worker", "--name", "gpu-1"}), ExitCode::kWrongState);

  EXPECT_EQ(Text(output_ + "/worker-gpu-1.key"), before);
}

TEST_F(PkiIssueTest, FolderWithoutAnAuthorityIsSaid) {
  EXPECT_EQ(Run({"pki", "issue", "--authority", folder_.path(), "--role", "worker", "--name", "w"}),
            ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("\"entente pki init\" made"));
}

TEST_F(PkiIssueTest, CertificateMayNotOutliveItsAuthority) {
  EXPECT_EQ(Issue({"--role", "worker", "--name", "gpu-1", "--days", "36500"}), ExitCode::kBadInput);
}

TEST_F(PkiIssueTest, OnlyACoordinatorsCertificateNamesAHost) {
  EXPECT_EQ(Issue({"--role", "worker", "--name", "gpu-1", "--dns", "coordinator.example"}),
            ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("--dns and --ip are for the role coordinator"));
}

}  // namespace
}  // namespace entente::cli
