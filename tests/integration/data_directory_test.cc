// SPDX-License-Identifier: Apache-2.0
// What an operator does with a data directory: checks it, protects it, takes it elsewhere.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/federation.h"

namespace entente {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class DataDirectoryTest : public FederationTest {
 protected:
  Finished Verify(const std::string& path) {
    return RunProgram({Program("entente-coordinator"), "--verify", path});
  }

  static std::string ReadFile(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // By name, what is in the files that may not change.
  static std::map<std::string, std::string> FilesIn(const std::filesystem::path& folder) {
    std::map<std::string, std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const bool is_lock = entry.path().extension() == ".lock";  // It has a process's id in it.
      if (entry.is_regular_file() && !is_lock) found[entry.path()] = ReadFile(entry.path());
    }
    return found;
  }
};

TEST_F(DataDirectoryTest, SecondCoordinatorIsToldTheFirstOnesProcess) {
  StartCoordinator();

  const Finished second =
      RunProgram({Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml")});

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_THAT(second.standard_error,
              AllOf(HasSubstr("another process uses this data directory"),
                    HasSubstr(absl::StrCat("locked by process ", coordinator().pid()))));
}

TEST_F(DataDirectoryTest, FileInThePlaceOfTheDataDirectoryIsRefusedInOneSentence) {
  StartCoordinator();
  coordinator().Signal(SIGTERM);
  ASSERT_EQ(coordinator().WaitForExit(), 0);
  StopCoordinator();
  std::filesystem::remove_all(folder_.File("coordinator"));
  folder_.Write("coordinator", "precious");

  const Finished start =
      RunProgram({Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml")});

  EXPECT_EQ(start.exit_status, 1);
  EXPECT_THAT(
      start.standard_error,
      HasSubstr(absl::StrCat(
          "entente-coordinator: cannot create folder ", folder_.File("coordinator"),
          ": there is a file of that name; dataDirectory must be a folder that this account "
          "may make or write to\n")));
  EXPECT_EQ(ReadFile(folder_.File("coordinator")), "precious");
}

TEST_F(DataDirectoryTest, VerifyRefusesWhileACoordinatorRunsAndSaysWhatThereIsAfterwards) {
  StartCoordinator();
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));

  const Finished running = Verify(folder_.File("coordinator.yaml"));
  EXPECT_EQ(running.exit_status, 1);
  EXPECT_THAT(running.standard_error,
              HasSubstr(absl::StrCat("locked by process ", coordinator().pid())));

  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  for (const char* path : {"coordinator.yaml", "coordinator"}) {
    const Finished stopped = Verify(folder_.File(path));
    EXPECT_EQ(stopped.exit_status, 0) << stopped.standard_error;
    EXPECT_THAT(stopped.standard_output,
                AllOf(HasSubstr("alliance.example"), HasSubstr(job), HasSubstr("and whole")));
  }
}

TEST_F(DataDirectoryTest, DamageIsToldInOneSentenceAndChangesNothing) {
  namespace fs = std::filesystem;
  StartCoordinator();
  const std::string job = Submit(WriteRecipe(1, "  quorum: {count: 1}\n"));
  // Events behind the one that is damaged below: damage to the last alone looks like a crash.
  ASSERT_EQ(Entente({"job", "pause", job}).exit_status, 0);
  ASSERT_EQ(Entente({"job", "resume", job}).exit_status, 0);
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  StopCoordinator();
  const fs::path data = folder_.File("coordinator");
  const fs::path whole = folder_.File("whole");
  fs::rename(data, whole);
  const fs::path journal = data / "journal.sqlite";
  const fs::path model = fs::directory_iterator(whole / "models")->path().filename();
  const auto overwrite = [](const fs::path& path, std::streamoff at, const std::string& bytes) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  };
  struct Damage {
    std::string what;
    std::function<void()> make;
    std::string sentence;
  };
  const auto damage_log = [&](std::streamoff at) {
    overwrite(data / "journal.sqlite-wal", at, "????");
  };
  // A coordinator that was stopped leaves all of its journal in the journal's own file.
  const auto overwrite_stopped = [&](const std::string& old_bytes, std::streamoff at,
                                     const std::string& bytes) {
    StartCoordinator();
    coordinator().Signal(SIGTERM);
    ASSERT_EQ(coordinator().WaitForExit(), 0);
    StopCoordinator();
    fs::remove(data / "journal.sqlite-wal");
    const size_t found = ReadFile(journal).find(old_bytes);
    ASSERT_NE(found, std::string::npos) << old_bytes;
    overwrite(journal, static_cast<std::streamoff>(found) + at, bytes);
  };
  const std::vector<Damage> damages = {
      {.what = "no journal",
       .make = [&] { fs::remove(journal); },
       .sentence = "journal.sqlite is missing, but"},
      {.what = "an empty journal",
       .make = [&] { fs::resize_file(journal, 0); },
       .sentence = "journal.sqlite is empty, but"},
      {.what = "a journal without its log",
       .make = [&] { fs::remove(data / "journal.sqlite-wal"); },
       .sentence = "journal.sqlite-wal was lost"},
      {.what = "a journal with its log emptied",
       .make = [&] { fs::resize_file(data / "journal.sqlite-wal", 0); },
       .sentence = "journal.sqlite-wal was lost"},
      {.what = "a log that was cut off",
       .make = [&] { fs::resize_file(data / "journal.sqlite-wal", 6000); },
       .sentence = "journal.sqlite-wal was cut off (6000 of"},
      {.what = "a foreign journal",
       .make =
           [&] {
             overwrite(journal, 0, std::string(4096, 'x'));
             fs::remove(data / "journal.sqlite-wal");
           },
       .sentence = "file is not a database"},
      {.what = "a log with a damaged header",
       .make = [&] { damage_log(20); },
       .sentence = "is damaged at byte 0"},
      {.what = "a log with damage before other commits",
       .make = [&] { damage_log(1000); },
       .sentence = "is damaged at byte 32"},
      {.what = "no model",
       .make = [&] { fs::remove(data / "models" / model); },
       .sentence = absl::StrCat(model.string(), ", is missing; put it back")},
      {.what = "a journal that is older than the spool",
       .make = [&] { folder_.Write("coordinator/spool/" + job + "/0-2/fr-lab+w-00", "update"); },
       .sentence = "/0-2 is of round 1 attempt 2: the journal has lost its end"},
      // SQLite's user_version: 4 bytes at byte 60 of its header.
      {.what = "a newer program's journal",
       .make = [&] { overwrite_stopped("SQLite format 3", 60, std::string("\0\0\0\x63", 4)); },
       .sentence = "was written by a newer Entente (schema 99, this one knows"},
      // The row of the alliance: its name, then its value.
      {.what = "another alliance's journal",
       .make = [&] { overwrite_stopped("alliancealliance.example", 8, "alliance.another"); },
       .sentence = "is the alliance alliance.another's, the configuration's is alliance.example"},
  };
  for (const Damage& damage : damages) {
    SCOPED_TRACE(damage.what);
    fs::remove_all(data);
    fs::copy(whole, data, fs::copy_options::recursive);
    damage.make();
    const std::map<std::string, std::string> before = FilesIn(data);

    const Finished start =
        RunProgram({Program("entente-coordinator"), "--config", folder_.File("coordinator.yaml")});

    EXPECT_EQ(start.exit_status, 1);
    EXPECT_THAT(start.standard_error, HasSubstr(damage.sentence));
    EXPECT_EQ(FilesIn(data), before);
  }
  // The last one's directory is there still: whoever knows the configuration sees whose it is.
  const std::string config = folder_.File("coordinator.yaml");
  const Finished checked =
      RunProgram({Program("entente-coordinator"), "--config", config, "--check-config"});
  EXPECT_EQ(checked.exit_status, 2);
  EXPECT_THAT(checked.standard_error, HasSubstr(damages.back().sentence));
  const Finished verified = Verify(config);
  EXPECT_EQ(verified.exit_status, 1);
  EXPECT_THAT(verified.standard_error, HasSubstr(damages.back().sentence));
}

TEST_F(DataDirectoryTest, CoordinatorWithAModelAndNoJobYetStartsAgain) {
  namespace fs = std::filesystem;
  const fs::path data = folder_.File("coordinator");
  StartCoordinator();
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  // As somebody's upload leaves it whose job was refused.
  folder_.Write("coordinator/models/" + std::string(64, 'a'), "model");

  const Finished verified = Verify(data);
  EXPECT_EQ(verified.exit_status, 0) << verified.standard_output;
  StartCoordinator();
}

TEST_F(DataDirectoryTest, StartWritesNoFileAgainThatIsUnchanged) {
  StartCoordinator();
  coordinator().Signal(SIGTERM);
  ASSERT_EQ(coordinator().WaitForExit(), 0);
  // Neither can be written any more, as on a full disk.
  folder_.Write("coordinator/authorities.pem.tmp/in-its-way", "");
  folder_.Write("port.tmp/in-its-way", "");

  StartCoordinator();
}

TEST_F(DataDirectoryTest, CoordinatorGoesOnFromABackupThatWasTakenWhileItWorked) {
  Pki({"issue", "--authority", folder_.File("alliance"), "--role", "operator", "--name", "o",
       "--output", folder_.File("alliance")});
  StartCoordinator();
  const std::string job = SubmitAndHoldInSecondRound();

  EXPECT_EQ(Entente({"admin", "backup", folder_.File("copy")}).exit_status, 4);
  const Finished backup = Entente({"admin", "backup", folder_.File("copy")}, "operator-o");
  ASSERT_EQ(backup.exit_status, 0) << backup.standard_error;
  coordinator().Signal(SIGKILL);
  coordinator().WaitForExit();
  EXPECT_EQ(Verify(folder_.File("copy")).exit_status, 0)
      << Verify(folder_.File("copy")).standard_output;
  std::filesystem::rename(folder_.File("coordinator"), folder_.File("gone"));
  std::filesystem::rename(folder_.File("copy"), folder_.File("coordinator"));
  StartCoordinator();

  ExpectHeldJobEndsAsIfUndisturbed(job);
}

}  // namespace
}  // namespace entente
