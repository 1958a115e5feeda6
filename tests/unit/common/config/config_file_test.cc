// SPDX-License-Identifier: Apache-2.0
#include "common/config/config_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "common/base/limits.h"
#include "entente/config/v1/contexts.pb.h"
#include "entente/config/v1/worker.pb.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

using ::absl::StatusCode;
using ::testing::HasSubstr;

class ConfigFileTest : public testing::Test {
 protected:
  TempFolder folder_;
  PosixFileSystem files_;
  config::v1::WorkerConfig worker_;
};

TEST_F(ConfigFileTest, ReadsAFileOfItsKind) {
  const std::string path =
      folder_.Write("c.yaml", "apiVersion: entente/v1\nkind: Contexts\ncurrentContext: home\n");
  config::v1::Contexts contexts;

  ASSERT_THAT(LoadConfig(files_, path, &contexts), IsOk());

  EXPECT_EQ(contexts.current_context(), "home");
}

TEST_F(ConfigFileTest, AFileOfAnotherKindIsCalledThat) {
  const std::string path =
      folder_.Write("c.yaml", "apiVersion: entente/v1\nkind: Coordinator\nlisten: a:1\n");

  EXPECT_THAT(LoadConfig(files_, path, &worker_),
              StatusIs(StatusCode::kInvalidArgument,
                       path + ":2:7: kind is \"Coordinator\"; this file must be written for kind: "
                              "Worker"));
}

TEST_F(ConfigFileTest, AnotherVersionIsRefused) {
  EXPECT_THAT(ParseConfig("apiVersion: entente/v9\nkind: Worker\n", "w.yaml", &worker_),
              StatusIs(StatusCode::kInvalidArgument,
                       "w.yaml:1:13: apiVersion is \"entente/v9\"; this file must be written for "
                       "apiVersion: entente/v1"));
}

TEST_F(ConfigFileTest, TheVersionAndKindMustBeThere) {
  EXPECT_THAT(ParseConfig("", "w.yaml", &worker_),
              StatusIs(StatusCode::kInvalidArgument,
                       "w.yaml:1:1: apiVersion is missing; the file must say apiVersion: "
                       "entente/v1"));
  EXPECT_THAT(ParseConfig("apiVersion: entente/v1\n", "w.yaml", &worker_),
              StatusIs(StatusCode::kInvalidArgument,
                       "w.yaml:1:1: kind is missing; the file must say kind: Worker"));
}

TEST_F(ConfigFileTest, ATextThatIsNoSectionIsRefused) {
  EXPECT_THAT(ParseConfig("just words", "w.yaml", &worker_),
              StatusIs(StatusCode::kInvalidArgument,
                       "w.yaml:1:1: the file must be a section of keys, not a single value"));
}

TEST_F(ConfigFileTest, AMissingFileIsNamed) {
  EXPECT_THAT(LoadConfig(files_, folder_.File("none.yaml"), &worker_),
              StatusIs(StatusCode::kNotFound, HasSubstr(folder_.File("none.yaml"))));
}

TEST_F(ConfigFileTest, AFileOverTheLimitIsNotRead) {
  const std::string path = folder_.Write("w.yaml", std::string(limits::kConfigBytesMax + 1, '#'));

  EXPECT_THAT(LoadConfig(files_, path, &worker_),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("4194305 bytes")));
}

TEST(ResolvePathTest, PathsAreRelativeToTheFileThatNamesThem) {
  EXPECT_EQ(ResolvePath("/etc/entente/worker.yaml", "policies/a.yaml"),
            "/etc/entente/policies/a.yaml");
  EXPECT_EQ(ResolvePath("/etc/entente/worker.yaml", "../data/./x/"), "/etc/data/x");
  EXPECT_EQ(ResolvePath("/etc/entente/worker.yaml", "/data"), "/data");
  EXPECT_EQ(ResolvePath("/etc/entente/worker.yaml", "/"), "/");
  EXPECT_EQ(ResolvePath("/etc/entente/worker.yaml", ""), "");
}

TEST(ResolvePathTest, ARelativeFileIsInTheCurrentFolder) {
  const std::string here = std::filesystem::current_path().string();

  EXPECT_EQ(ResolvePath("worker.yaml", "data"), here + "/data");
  EXPECT_EQ(ResolvePath("configs/worker.yaml", "data"), here + "/configs/data");
}

}  // namespace
}  // namespace entente
