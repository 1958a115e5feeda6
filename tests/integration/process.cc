// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "common/base/check.h"
#include "tests/support/eventually.h"
#include "tests/support/temp_folder.h"

extern char** environ;

namespace entente {
namespace {

pid_t Spawn(const std::vector<std::string>& argv, const std::string& out, const std::string& err) {
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (err.empty()) {
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
  } else {
    posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  }
  pid_t pid = -1;
  const int error = posix_spawn(&pid, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ENTENTE_CHECK(error == 0);
  return pid;
}

int StatusOf(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

Process::Process(const std::vector<std::string>& argv, const std::string& output_path)
    : output_path_(output_path), pid_(Spawn(argv, output_path, "")) {}

Process::~Process() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  WaitForExit();
}

void Process::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

int Process::WaitForExit(absl::Duration limit) {
  int status = -1;
  const bool ended = WaitUntil(
      [&] {
        int wait_status = 0;
        if (waitpid(pid_, &wait_status, WNOHANG) != pid_) return false;
        status = StatusOf(wait_status);
        return true;
      },
      limit);
  if (ended) pid_ = -1;
  return status;
}

std::string Process::Output() const { return ReadFile(output_path_); }

bool Process::WaitForOutput(const std::string& text, absl::Duration limit) const {
  return WaitUntil([&] { return absl::StrContains(Output(), text); }, limit);
}

Finished RunProgram(const std::vector<std::string>& argv) {
  const TempFolder folder;
  const pid_t pid = Spawn(argv, folder.File("out"), folder.File("err"));
  int status = 0;
  ENTENTE_CHECK(waitpid(pid, &status, 0) == pid);
  return {.exit_status = StatusOf(status),
          .standard_output = ReadFile(folder.File("out")),
          .standard_error = ReadFile(folder.File("err"))};
}

bool WaitUntil(absl::FunctionRef<bool()> done, absl::Duration limit) {
  return Eventually(done, absl::Milliseconds(50), limit);
}

}  // namespace entente
