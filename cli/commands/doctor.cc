// SPDX-License-Identifier: Apache-2.0
// entente doctor: goes the way to the coordinator step by step and says what is wrong with the
// first step that fails. With a worker's or a coordinator's configuration it examines that one's
// machine: files, data, trainer, disk, memory.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/doctor/connection_checks.h"
#include "cli/doctor/examination.h"
#include "cli/doctor/listen_checks.h"
#include "cli/doctor/machine_checks.h"
#include "cli/doctor/running_check.h"
#include "cli/doctor/worker_checks.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/coordinator_config.h"
#include "common/config/worker_config.h"
#include "common/config/yaml_document.h"
#include "common/identity/certificate.h"
#include "common/identity/peer_identity.h"
#include "common/rpc/tls_credentials.h"
#include "entente/config/v1/coordinator.pb.h"
#include "entente/config/v1/local_policy.pb.h"
#include "entente/config/v1/worker.pb.h"

namespace entente::cli {
namespace {

constexpr int kUnset = -1;
constexpr int kMebibytesMax = 1 << 30;

// A model, its update and a trainer's own files take that much without anybody noticing.
constexpr uint64_t kWorkerDiskBytesMin = uint64_t{1} << 30;
// The journal's log takes 4.5 MiB as soon as it is made (coordinator/store/sqlite_file_system.cc),
// and what happens comes on top of that.
constexpr uint64_t kCoordinatorDiskBytesMin = uint64_t{8} << 20;
constexpr uint64_t kWorkerMemoryBytesMin = uint64_t{512} << 20;
constexpr uint64_t kCoordinatorMemoryBytesMin = uint64_t{256} << 20;

struct DoctorArguments {
  std::string config;
  int disk_min_mebibytes = kUnset;
  int memory_min_mebibytes = kUnset;
};

uint64_t BytesOr(int mebibytes, uint64_t otherwise) {
  return mebibytes == kUnset ? otherwise : static_cast<uint64_t>(mebibytes) << 20;
}

// What the certificate's role may do with commands. INVALID_ARGUMENT if it gives none.
absl::StatusOr<std::string> DescribeCommandRole(FileSystem& files, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(files, path, limits::kPemBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription own, DescribeCertificate(pem));
  ENTENTE_ASSIGN_OR_RETURN(const PeerIdentity identity, ParseSpiffeId(own.spiffe_id));
  switch (identity.role) {
    case Role::kSubmitter:
      return "submitter: may submit jobs, pause and cancel its own, and look at everything";
    case Role::kOperator:
      return "operator: may submit, pause and cancel every job, take backups, and look at "
             "everything";
    case Role::kObserver:
      return "observer: may look at everything, and change nothing";
    case Role::kWorker:
    case Role::kCoordinator:
      break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is for the role ", RoleName(identity.role),
                   ", which gives no commands; issue one with \"entente pki issue --role "
                   "submitter\" (or operator, or observer), or examine that program with "
                   "\"entente doctor --config FILE\""));
}

void ExamineContext(const Invocation& invocation, Examination* examination) {
  const absl::StatusOr<ConnectionTarget> target = invocation.Target();
  if (!examination->Add(
          "context", target.status(),
          target.ok() ? absl::StrCat(target->context.empty() ? "given by options" : target->context,
                                     ", ", target->coordinator)
                      : "")) {
    return;
  }
  if (!CheckIdentityFiles(invocation.files(), target->tls, invocation.Now(), examination)) return;
  const absl::StatusOr<std::string> role =
      DescribeCommandRole(invocation.files(), target->tls.certificate);
  if (!examination->Add("role", role.status(), role.ok() ? *role : "")) return;
  CheckConnection(invocation, *target, examination);
}

TlsPaths PathsOf(const config::v1::TlsFiles& tls) {
  return {.certificate = tls.certificate(),
          .private_key = tls.private_key(),
          .authority = tls.authority()};
}

void CheckWorkerHttp(const Invocation& invocation, const config::v1::Http& section,
                     Examination* examination) {
  std::vector<BrowserAuthority> authorities;
  if (!section.tls().authority().empty()) {
    authorities.push_back({.trust_domain = "", .path = section.tls().authority()});
  }
  CheckHttpSection(invocation.files(), *invocation.surroundings.clock, section, authorities,
                   "worker", examination);
}

void ExamineWorker(const Invocation& invocation, const DoctorArguments& arguments,
                   Examination* examination) {
  FileSystem& files = invocation.files();
  const std::string& path = arguments.config;
  const absl::StatusOr<config::v1::WorkerConfig> config = LoadWorkerConfig(files, path);
  if (!examination->Add(
          "configuration", config.status(),
          config.ok()
              ? absl::StrCat(path, ", ",
                             Plural(static_cast<uint64_t>(config->datasets_size()), "data set"))
              : "")) {
    return;
  }
  CheckRunning(files, absl::StrCat(config->work_directory(), "/lock"), "worker", path, examination);
  config::v1::LocalPolicy policy;
  examination->Add("policy", LoadConfig(files, config->policy(), &policy), config->policy());
  for (const config::v1::Dataset& dataset : config->datasets()) {
    CheckDataset(files, dataset, examination);
  }
  CheckDisk(files, config->work_directory(),
            BytesOr(arguments.disk_min_mebibytes, kWorkerDiskBytesMin),
            "make room there, lower cacheBytesMax, or move workDirectory", examination);
  CheckMemory(ReadMemoryTexts(), BytesOr(arguments.memory_min_mebibytes, kWorkerMemoryBytesMin),
              examination);
  CheckWorkerHttp(invocation, config->http(), examination);
  // entente-worker will not try its trainer without an identity either.
  if (!CheckIdentityFiles(files, PathsOf(config->tls()), invocation.Now(), examination)) return;
  CheckTrainer({.program_path = invocation.surroundings.program_path,
                .path = invocation.surroundings.environment.path},
               path, examination);
  if (!examination->Add("role", CheckCertificateRole(config->tls().certificate(), Role::kWorker),
                        "the certificate is a worker's")) {
    return;
  }
  CheckConnection(
      invocation,
      {.context = "", .coordinator = config->coordinator(), .tls = PathsOf(config->tls())},
      examination);
}

void ExamineCoordinator(const Invocation& invocation, const DoctorArguments& arguments,
                        Examination* examination) {
  const absl::StatusOr<config::v1::CoordinatorConfig> config =
      LoadCoordinatorConfig(invocation.files(), arguments.config);
  if (!examination->Add(
          "configuration", config.status(),
          config.ok()
              ? absl::StrCat(arguments.config, ", ",
                             Plural(static_cast<uint64_t>(config->members_size()), "member"))
              : "")) {
    return;
  }
  CheckRunning(invocation.files(), absl::StrCat(config->data_directory(), "/journal.sqlite.lock"),
               "coordinator", arguments.config, examination);
  TlsPaths tls = PathsOf(config->tls());
  // The coordinator trusts one authority for each member instead of one for all.
  tls.authority = config->alliance().authority();
  if (CheckIdentityFiles(invocation.files(), tls, invocation.Now(), examination)) {
    examination->Add("role", CheckCertificateRole(tls.certificate, Role::kCoordinator),
                     "the certificate is a coordinator's");
  }
  for (const config::v1::MemberConfig& member : config->members()) {
    CheckAuthorityFile(invocation.files(), member.authority(), member.id(), invocation.Now(),
                       examination);
  }
  CheckListen(config->listen(), "coordinator", examination);
  // Those whose certificates it takes from workers and commands, it takes from browsers.
  std::vector<BrowserAuthority> authorities;
  authorities.push_back(
      {.trust_domain = config->alliance().trust_domain(), .path = config->alliance().authority()});
  for (const config::v1::MemberConfig& member : config->members()) {
    authorities.push_back({.trust_domain = member.trust_domain(), .path = member.authority()});
  }
  CheckHttpSection(invocation.files(), *invocation.surroundings.clock, config->http(), authorities,
                   "coordinator", examination);
  const uint64_t disk_bytes_min =
      std::max<uint64_t>(config->limits().free_bytes_min(), kCoordinatorDiskBytesMin);
  CheckDisk(invocation.files(), config->data_directory(),
            BytesOr(arguments.disk_min_mebibytes, disk_bytes_min),
            "make room there, or move dataDirectory: updates are refused below "
            "limits.freeBytesMin, and a start takes 4.5 MiB for the journal's log",
            examination);
  CheckMemory(ReadMemoryTexts(),
              BytesOr(arguments.memory_min_mebibytes, kCoordinatorMemoryBytesMin), examination);
}

// A file of neither kind, or that is no YAML, is examined, and refused, as a worker's.
bool IsCoordinatorConfig(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(files, path, limits::kConfigBytesMax);
  if (!text.ok()) return false;
  const absl::StatusOr<YamlNode> root = ParseYaml(*text, path);
  if (!root.ok()) return false;
  for (size_t i = 0; i < root->keys.size(); ++i) {
    if (root->keys[i].text == "kind") return root->items[i].text == "Coordinator";
  }
  return false;
}

absl::StatusOr<ExitCode> RunDoctor(const Invocation& invocation, const DoctorArguments& arguments) {
  Examination examination;
  if (arguments.config.empty()) {
    ExamineContext(invocation, &examination);
  } else if (IsCoordinatorConfig(invocation.files(), arguments.config)) {
    ExamineCoordinator(invocation, arguments, &examination);
  } else {
    ExamineWorker(invocation, arguments, &examination);
  }
  ENTENTE_RETURN_IF_ERROR(invocation.surroundings.interruption->Check());
  examination.Print(invocation.output());
  return examination.IsHealthy() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

void AddDoctor(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<DoctorArguments>();
  Verb verb =
      AddVerb(app, "doctor", "Find out what is wrong, with the fix; exit code 1 if something is",
              invocation, [&invocation, arguments] { return RunDoctor(invocation, *arguments); });
  verb.Option("--config", arguments->config,
              "A worker.yaml or coordinator.yaml to examine, on its machine, instead of the "
              "context");
  verb.Number("--disk-min", arguments->disk_min_mebibytes, 0, kMebibytesMax,
              "MiB of free disk to want; default 1024 for a worker, limits.freeBytesMin and at "
              "least 8 for a coordinator");
  verb.Number("--memory-min", arguments->memory_min_mebibytes, 0, kMebibytesMax,
              "MiB of free memory to want; default 512 for a worker, 256 for a coordinator");
}

}  // namespace entente::cli
