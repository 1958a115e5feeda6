// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/unit/cli/command_fixture.h"

namespace entente::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ContextSetTest : public CommandFixture {
 protected:
  ExitCode SetOne() {
    return Run({"context", "set", "one", "--coordinator", "x:1", "--certificate", "me.crt",
                "--private-key", "/k", "--authority", "/a"});
  }
};

TEST_F(ContextSetTest, FirstContextBecomesTheCurrentOne) {
  EXPECT_EQ(SetOne(), ExitCode::kOk);
  EXPECT_THAT(out(), HasSubstr("is the current one"));

  EXPECT_EQ(Run({"context", "show", "-o", "json"}), ExitCode::kOk);
  EXPECT_EQ(OutJson()["coordinator"], "x:1");
}

TEST_F(ContextSetTest, RelativePathsAreMadeAbsolute) {
  SetOne();

  Run({"context", "show", "-o", "json"});

  EXPECT_THAT(OutJson()["tls"]["certificate"].get<std::string>(), StartsWith("/"));
}

TEST_F(ContextSetTest, ExistingContextKeepsWhatIsNotSaid) {
  SetOne();

  EXPECT_EQ(Run({"context", "set", "one", "--coordinator", "y:2"}), ExitCode::kOk);

  Run({"context", "show", "one", "-o", "json"});
  EXPECT_EQ(OutJson()["coordinator"], "y:2");
  EXPECT_EQ(OutJson()["tls"]["privateKey"], "/k");
}

TEST_F(ContextSetTest, FilesThatAreNotThereAreNamed) {
  folder_.Write("k", "key");

  EXPECT_EQ(Run({"context", "set", "one", "--coordinator", "x:1", "--certificate",
                 folder_.File("missing.crt"), "--private-key", folder_.File("k"), "--authority",
                 folder_.File("missing-too.crt")}),
            ExitCode::kOk);

  EXPECT_THAT(error(), AllOf(HasSubstr(folder_.File("missing.crt") + " yet"),
                             HasSubstr("missing-too.crt yet"), Not(HasSubstr("/k yet"))));
}

TEST_F(ContextSetTest, NewContextMustBeComplete) {
  EXPECT_EQ(Run({"context", "set", "one", "--coordinator", "x:1"}), ExitCode::kBadInput);

  EXPECT_THAT(error(), HasSubstr("\"one\" is new and needs --certificate"));
  EXPECT_FALSE(files_.Exists(folder_.File(".config/entente/config.yaml")));
}

TEST_F(ContextSetTest, FileOfTheConfigOptionIsWritten) {
  const std::string path = folder_.File("elsewhere.yaml");

  EXPECT_EQ(Run({"--config", path, "context", "set", "one", "--coordinator", "x:1", "--certificate",
                 "/c", "--private-key", "/k", "--authority", "/a"}),
            ExitCode::kOk);

  EXPECT_TRUE(files_.Exists(path));
}

}  // namespace
}  // namespace entente::cli
