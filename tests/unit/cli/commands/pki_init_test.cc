// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "common/identity/certificate.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::HasSubstr;

class PkiInitTest : public CommandFixture {
 protected:
  std::string Text(const std::string& path) { return ReadTextFile(files_, path, 1 << 20).value(); }
  const std::string directory_ = folder_.File("ca");
};

TEST_F(PkiInitTest, MakesAnAuthorityWithASecretKey) {
  EXPECT_EQ(Run({"pki", "init", "--trust-domain", "fr-lab.example", "--name", "FR Lab",
                 "--directory", directory_}),
            ExitCode::kOk)
      << error();

  ASSERT_OK_AND_ASSIGN(const CertificateDescription description,
                       DescribeCertificate(Text(directory_ + "/authority.crt")));
  EXPECT_TRUE(description.is_authority);
  EXPECT_EQ(description.spiffe_id, "spiffe://fr-lab.example");
  struct stat info = {};
  ASSERT_EQ(stat((directory_ + "/authority.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(PkiInitTest, AuthorityIsNeverOverwritten) {
  Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", directory_});
  const std::string key = Text(directory_ + "/authority.key");

  EXPECT_EQ(Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", directory_}),
            ExitCode::kWrongState);

  EXPECT_THAT(error(), HasSubstr("is there already"));
  EXPECT_EQ(Text(directory_ + "/authority.key"), key);
}

TEST_F(PkiInitTest, MalformedTrustDomainIsRefusedAndNothingIsMade) {
  EXPECT_EQ(Run({"pki", "init", "--trust-domain", "FR Lab!", "--directory", directory_}),
            ExitCode::kBadInput);

  EXPECT_FALSE(files_.Exists(directory_));
}

TEST_F(PkiInitTest, DaysMustBePositive) {
  EXPECT_EQ(Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", directory_,
                 "--days", "0"}),
            ExitCode::kBadInput);
}

TEST_F(PkiInitTest, JsonNamesTheFiles) {
  EXPECT_EQ(Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", directory_, "-o",
                 "json"}),
            ExitCode::kOk);

  EXPECT_EQ(OutJson()["certificate"], directory_ + "/authority.crt");
  EXPECT_EQ(OutJson()["privateKey"], directory_ + "/authority.key");
}

}  // namespace
}  // namespace entente::cli
