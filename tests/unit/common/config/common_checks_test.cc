// SPDX-License-Identifier: Apache-2.0
#include "common/config/common_checks.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace entente {
namespace {

class CommonChecksTest : public testing::Test {
 protected:
  std::string Sentence() const { return std::string(check_.ToStatus().message()); }

  TempFolder folder_;
  PosixFileSystem files_;
  NamedFiles named_{files_, folder_.File("config.yaml")};
  FieldCheck check_;
};

TEST_F(CommonChecksTest, AFileThatIsThereIsMadeAbsolute) {
  folder_.Write("a.pem", "x");
  std::string path = "a.pem";

  named_.RequireFile("tls.certificate", "the certificate", &path, &check_);

  EXPECT_THAT(check_.ToStatus(), IsOk());
  EXPECT_EQ(path, folder_.File("a.pem"));
}

TEST_F(CommonChecksTest, AFileThatIsNotThereIsNamed) {
  std::string path = "a.pem";

  named_.RequireFile("tls.certificate", "the certificate", &path, &check_);

  EXPECT_EQ(Sentence(), "tls.certificate names " + folder_.File("a.pem") +
                            ", which is not there; it must be the certificate");
}

TEST_F(CommonChecksTest, AFolderWithoutFilesIsRefused) {
  ASSERT_THAT(files_.CreateFolder(folder_.File("data")), IsOk());
  std::string path = "data";

  named_.RequireFilledFolder("directory", "the data", &path, &check_);

  EXPECT_EQ(Sentence(), "directory names " + folder_.File("data") +
                            ", which has no files in it; it must be the data");
}

TEST_F(CommonChecksTest, AFileIsNoFolder) {
  folder_.Write("data", "x");
  std::string path = "data";

  named_.RequireFilledFolder("directory", "the data", &path, &check_);

  EXPECT_THAT(Sentence(), testing::StartsWith("directory cannot be read: "));
}

TEST_F(CommonChecksTest, AnAuthorityThatNobodyWouldLookAtIsRefused) {
  folder_.Write("a.pem", "x");
  config::v1::TlsFiles tls;
  tls.set_certificate("a.pem");
  tls.set_private_key("a.pem");
  tls.set_authority("a.pem");

  named_.RequireTls(/*has_authority=*/false, &tls, &check_);

  EXPECT_THAT(Sentence(), testing::StartsWith("tls.authority is not used here"));
}

TEST_F(CommonChecksTest, TheSecondOfEqualsIsRefused) {
  std::set<std::string> seen;
  CheckUnique("a", "x", &seen, &check_);
  CheckUnique("b", "x", &seen, &check_);

  EXPECT_EQ(Sentence(), "b is \"x\", which is there already; each must be unlike any other");
}

TEST_F(CommonChecksTest, TheLogsLevelIsInfoUnlessWritten) {
  config::v1::Logging logging;
  FillLogging(&logging);
  EXPECT_EQ(logging.level(), config::v1::Logging::LEVEL_INFO);

  logging.set_level(config::v1::Logging::LEVEL_ERROR);
  FillLogging(&logging);
  EXPECT_EQ(logging.level(), config::v1::Logging::LEVEL_ERROR);
}

}  // namespace
}  // namespace entente
