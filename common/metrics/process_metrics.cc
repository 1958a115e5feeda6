// SPDX-License-Identifier: Apache-2.0
#include "common/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/identity/certificate.h"

namespace entente::metrics {
namespace {

std::string ReadProc(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The fields of /proc/self/stat from the third on (proc(5)): the second is a name in brackets that
// may have spaces in it.
std::vector<std::string> StatFields() {
  const std::string text = ReadProc("/proc/self/stat");
  const size_t end_of_name = text.rfind(") ");
  if (end_of_name == std::string::npos) return {};
  return absl::StrSplit(text.substr(end_of_name + 2), ' ');
}

double FieldAt(const std::vector<std::string>& fields, size_t number_in_proc5) {
  double value = 0;
  const size_t index = number_in_proc5 - 3;
  if (index < fields.size() && absl::SimpleAtod(fields[index], &value)) return value;
  return 0;
}

double OpenFileCount() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<double>(std::distance(begin(files), end(files)) - 1);  // Not the folder's own.
}

// "btime 1700000000" of /proc/stat.
double BootTime() {
  std::istringstream lines(ReadProc("/proc/stat"));
  std::string word;
  double seconds = 0;
  while (lines >> word) {
    if (word == "btime" && lines >> seconds) return seconds;
  }
  return 0;
}

}  // namespace

void SetProcessMetrics(MetricRegistry* registry) {
  rusage usage = {};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    registry->RaiseTo(kProcessCpu, {}, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    registry->Set(kProcessOpenFilesMax, {}, static_cast<double>(files.rlim_cur));
  }
  registry->Set(kProcessOpenFiles, {}, OpenFileCount());
  const std::vector<std::string> fields = StatFields();
  if (fields.empty()) return;
  registry->Set(kProcessThreads, {}, FieldAt(fields, 20));
  registry->Set(kProcessStart, {},
                BootTime() + FieldAt(fields, 22) / static_cast<double>(sysconf(_SC_CLK_TCK)));
  registry->Set(kProcessMemory, {},
                FieldAt(fields, 24) * static_cast<double>(sysconf(_SC_PAGESIZE)));
}

void SetBuildInfo(absl::string_view program, absl::string_view version, MetricRegistry* registry) {
  registry->Set(kBuildInfo, {program, version}, 1);
}

double ToUnixSecondsAndFraction(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

void SetCertificateExpiry(const std::string& path, absl::string_view holder,
                          absl::string_view member, MetricRegistry* registry) {
  PosixFileSystem files;
  const auto pem = ReadTextFile(files, path, limits::kPemBytesMax);
  if (!pem.ok()) return;
  const auto certificate = DescribeCertificate(*pem);
  if (!certificate.ok()) return;
  registry->Set(kCertificateExpiry, {holder, member},
                ToUnixSecondsAndFraction(certificate->not_after));
}

}  // namespace entente::metrics
