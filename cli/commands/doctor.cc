// SPDX-License-Identifier: Apache-2.0
// entente doctor: goes the way to the coordinator step by step and says what is wrong with the
// first step that fails. With a worker's or a coordinator's configuration it checks that one's
// files.

#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/config/coordinator_config.h"
#include "common/config/worker_config.h"
#include "common/identity/certificate.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/tls_credentials.h"
#include "entente/config/v1/coordinator.pb.h"
#include "entente/config/v1/local_policy.pb.h"
#include "entente/config/v1/worker.pb.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kProbeTime = absl::Seconds(5);

// What was looked at, and what was found: the good news, or the error with its fix.
struct Check {
  std::string name;
  bool is_ok = false;
  std::string message;
};

class Examination {
 public:
  explicit Examination(const Invocation& invocation) : invocation_(invocation) {}

  // Whether all is well with this step; `good` is said if it is.
  bool Add(const std::string& name, const absl::Status& status, const std::string& good) {
    checks_.push_back({.name = name,
                       .is_ok = status.ok(),
                       .message = status.ok() ? good : std::string(status.message())});
    return status.ok();
  }

  bool IsHealthy() const {
    for (const Check& check : checks_) {
      if (!check.is_ok) return false;
    }
    return true;
  }

  void Print() const {
    nlohmann::ordered_json json;
    json["ok"] = IsHealthy();
    json["checks"] = nlohmann::ordered_json::array();
    std::string text;
    for (const Check& check : checks_) {
      nlohmann::ordered_json item;
      item["name"] = check.name;
      item["ok"] = check.is_ok;
      item["message"] = check.message;
      json["checks"].push_back(item);
      absl::StrAppend(&text, check.is_ok ? "✓ " : "✗ ", Pad(check.name, 13), "  ",
                      Printable(check.message), "\n");
    }
    invocation_.output().Print(json, text);
  }

  const Invocation& invocation() const { return invocation_; }

 private:
  const Invocation& invocation_;
  std::vector<Check> checks_;
};

// "spiffe://fr-lab.example/worker/gpu-1, valid for 212 d 4 h".
std::string DescribeFile(FileSystem& files, const std::string& path, absl::Time now) {
  const absl::StatusOr<std::string> pem = ReadTextFile(files, path, limits::kConfigBytesMax);
  if (!pem.ok()) return path;
  const absl::StatusOr<CertificateDescription> certificate = DescribeCertificate(*pem);
  if (!certificate.ok()) return path;
  return absl::StrCat(certificate->spiffe_id, ", valid for ",
                      ShortDuration(certificate->not_after - now));
}

bool CheckTls(Examination& examination, const TlsPaths& paths) {
  const Invocation& invocation = examination.invocation();
  return examination.Add("certificate", CheckTlsFiles(paths, invocation.Now()),
                         DescribeFile(invocation.files(), paths.certificate, invocation.Now()));
}

absl::Status CheckProtocol(const v1::GetVersionResponse& response) {
  if (response.protocol_version() == limits::kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the coordinator speaks protocol ", response.protocol_version(),
                   " with workers, this version ", limits::kProtocolVersion, "; install entente ",
                   response.version(), ", the coordinator's version"));
}

void CheckCoordinator(Examination& examination, const ConnectionTarget& target) {
  const Invocation& invocation = examination.invocation();
  if (!CheckTls(examination, target.tls)) return;
  const absl::Status probe =
      ProbeConnection(target.coordinator, target.tls, invocation.Now(), kProbeTime);
  if (!examination.Add("connection", probe,
                       absl::StrCat(target.coordinator, " takes our certificate"))) {
    return;
  }
  absl::StatusOr<std::unique_ptr<CoordinatorClient>> client =
      CoordinatorClient::Create(target, invocation.timeout,
                                {.clock = invocation.surroundings.clock,
                                 .interruption = invocation.surroundings.interruption,
                                 .trace = invocation.Trace()});
  if (!client.ok()) {
    examination.Add("coordinator", client.status(), "");
    return;
  }
  const absl::StatusOr<v1::GetVersionResponse> response = (*client)->GetVersion();
  if (!examination.Add("coordinator", response.status(),
                       response.ok() ? absl::StrCat("version ", response->version(),
                                                    ", takes us for ", response->caller())
                                     : "")) {
    return;
  }
  examination.Add(
      "protocol", CheckProtocol(*response),
      absl::StrCat("version ", response->protocol_version(), ".", response->protocol_minor()));
}

void ExamineContext(Examination& examination) {
  const absl::StatusOr<ConnectionTarget> target = examination.invocation().Target();
  const bool is_ok = examination.Add(
      "context", target.status(),
      target.ok() ? absl::StrCat(target->context.empty() ? "given by options" : target->context,
                                 ", ", target->coordinator)
                  : "");
  if (is_ok) CheckCoordinator(examination, *target);
}

TlsPaths PathsOf(const config::v1::TlsFiles& tls) {
  return {.certificate = tls.certificate(),
          .private_key = tls.private_key(),
          .authority = tls.authority()};
}

void ExamineWorker(Examination& examination, const std::string& path) {
  FileSystem& files = examination.invocation().files();
  const absl::StatusOr<config::v1::WorkerConfig> config = LoadWorkerConfig(files, path);
  const bool is_ok = examination.Add(
      "configuration", config.status(),
      config.ok() ? absl::StrCat(path, ", ",
                                 Plural(static_cast<uint64_t>(config->datasets_size()), "data set"))
                  : "");
  if (!is_ok) return;
  config::v1::LocalPolicy policy;
  examination.Add("policy", LoadConfig(files, config->policy(), &policy), config->policy());
  if (!examination.Add("role", CheckCertificateRole(config->tls().certificate(), Role::kWorker),
                       "the certificate is a worker's")) {
    return;
  }
  CheckCoordinator(
      examination,
      {.context = "", .coordinator = config->coordinator(), .tls = PathsOf(config->tls())});
}

void ExamineCoordinator(Examination& examination, const std::string& path) {
  const Invocation& invocation = examination.invocation();
  const absl::StatusOr<config::v1::CoordinatorConfig> config =
      LoadCoordinatorConfig(invocation.files(), path);
  const bool is_ok = examination.Add(
      "configuration", config.status(),
      config.ok() ? absl::StrCat(path, ", ",
                                 Plural(static_cast<uint64_t>(config->members_size()), "member"))
                  : "");
  if (!is_ok) return;
  TlsPaths tls = PathsOf(config->tls());
  // The coordinator trusts one authority for each member instead of one for all.
  tls.authority = config->alliance().authority();
  CheckTls(examination, tls);
  examination.Add("role", CheckCertificateRole(tls.certificate, Role::kCoordinator),
                  "the certificate is a coordinator's");
  for (const config::v1::MemberConfig& member : config->members()) {
    const absl::StatusOr<std::string> pem =
        ReadTextFile(invocation.files(), member.authority(), limits::kConfigBytesMax);
    examination.Add(
        "member", pem.ok() ? DescribeCertificate(*pem).status() : pem.status(),
        absl::StrCat(member.id(), ": ",
                     DescribeFile(invocation.files(), member.authority(), invocation.Now())));
  }
}

// A file of neither kind is examined, and refused, as a worker's.
bool IsCoordinatorConfig(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(files, path, limits::kConfigBytesMax);
  if (!text.ok()) return false;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    if (absl::StripAsciiWhitespace(line) == "kind: Coordinator") return true;
  }
  return false;
}

absl::StatusOr<ExitCode> RunDoctor(const Invocation& invocation, const std::string& path) {
  Examination examination(invocation);
  if (path.empty()) {
    ExamineContext(examination);
  } else if (IsCoordinatorConfig(invocation.files(), path)) {
    ExamineCoordinator(examination, path);
  } else {
    ExamineWorker(examination, path);
  }
  ENTENTE_RETURN_IF_ERROR(invocation.surroundings.interruption->Check());
  examination.Print();
  return examination.IsHealthy() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

void AddDoctor(CLI::App& app, Invocation& invocation) {
  const auto path = std::make_shared<std::string>();
  Verb verb = AddVerb(app, "doctor",
                      "Find out why a connection does not work; exit code 1 if something is "
                      "wrong",
                      invocation, [&invocation, path] { return RunDoctor(invocation, *path); });
  verb.Option("--config", *path,
              "A worker.yaml or coordinator.yaml to examine instead of the context");
}

}  // namespace entente::cli
