// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PkiShowTest : public CommandFixture {
 protected:
  PkiShowTest() {
    Run({"pki", "init", "--trust-domain", "fr-lab.example", "--directory", folder_.File("ca")});
    Run({"pki", "issue", "--authority", folder_.File("ca"), "--role", "coordinator", "--name",
         "main", "--ip", "127.0.0.1", "--output", folder_.path()});
  }
};

TEST_F(PkiShowTest, TellsWhoAndUntilWhen) {
  EXPECT_EQ(Run({"pki", "show", folder_.File("coordinator-main.crt")}), ExitCode::kOk);

  EXPECT_THAT(out(), AllOf(HasSubstr("spiffe://fr-lab.example/coordinator/main"),
                           HasSubstr("127.0.0.1"), HasSubstr(" left)")));
}

TEST_F(PkiShowTest, JsonHasEveryCertificateOfTheFile) {
  EXPECT_EQ(Run({"pki", "show", folder_.File("ca/authority.crt"), "-o", "json"}), ExitCode::kOk);

  ASSERT_EQ(OutJson()["certificates"].size(), 1u);
  EXPECT_EQ(OutJson()["certificates"][0]["isAuthority"], true);
}

TEST_F(PkiShowTest, FileThatIsNoCertificateIsRefused) {
  const std::string path = folder_.Write("x.crt", "hello");

  EXPECT_EQ(Run({"pki", "show", path}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr(path));
}

TEST_F(PkiShowTest, MissingFileIsBadInput) {
  EXPECT_EQ(Run({"pki", "show", folder_.File("missing.crt")}), ExitCode::kBadInput);
}

}  // namespace
}  // namespace entente::cli
