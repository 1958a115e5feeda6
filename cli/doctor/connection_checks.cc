// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/connection_checks.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/identity/certificate.h"
#include "common/rpc/connection_probe.h"
#include "common/rpc/tls_credentials.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kExaminationProbeTime = absl::Seconds(5);

constexpr absl::Duration kCertificateLeftMin = absl::Hours(24 * 14);
constexpr absl::Duration kAuthorityLeftMin = absl::Hours(24 * 30);

// Certificates are valid from five minutes before they are issued, heartbeats come every second or
// so at the most often: two seconds disturb nothing, a minute makes deadlines wrong.
constexpr absl::Duration kSkewWarned = absl::Seconds(2);
constexpr absl::Duration kSkewFailed = absl::Minutes(1);

// Certificates may be short-lived by design: what is new is never about to end.
bool EndsSoon(const CertificateDescription& certificate, absl::Time now, absl::Duration left_min) {
  const absl::Duration lifetime = certificate.not_after - certificate.not_before;
  return certificate.not_after - now < std::min(left_min, lifetime / 4);
}

// The lines of the probe: what it got past is well, what it did not is where it ends.
bool CheckWay(const Invocation& invocation, const ConnectionTarget& target,
              Examination* examination) {
  ProbeProgress progress;
  const absl::Status probe = ProbeConnection(target.coordinator, target.tls, invocation.Now(),
                                             kExaminationProbeTime, &progress);
  const bool name_is_wrong =
      !progress.connected && (absl::IsNotFound(probe) || absl::IsInvalidArgument(probe));
  if (!examination->Add("name", name_is_wrong ? probe : absl::OkStatus(),
                        absl::StrCat(target.coordinator, " is known"))) {
    return false;
  }
  if (!examination->Add("port", progress.connected ? absl::OkStatus() : probe,
                        absl::StrCat(target.coordinator, " takes connections"))) {
    return false;
  }
  // Who vouches for whom is a matter of its own: that TLS was understood is well.
  const bool is_authority = progress.encrypted || absl::IsUnauthenticated(probe);
  if (!examination->Add("tls", is_authority ? absl::OkStatus() : probe, "TLS and HTTP/2 answer")) {
    return false;
  }
  return examination->Add("authority", probe,
                          "we take the coordinator's certificate, and it takes ours");
}

absl::Status CheckProtocol(const v1::GetVersionResponse& response) {
  if (response.protocol_version() == limits::kProtocolVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the coordinator speaks protocol ", response.protocol_version(),
                   " with workers, this version ", limits::kProtocolVersion, "; install entente ",
                   response.version(), ", the coordinator's version"));
}

void CheckVersion(const std::string& ours, const std::string& theirs, Examination* examination) {
  if (ours == theirs) {
    examination->Ok("version", absl::StrCat(ours, " on both sides"));
    return;
  }
  examination->Warn("version",
                    absl::StrCat("the coordinator has ", theirs, ", this machine ", ours),
                    "install the same version on both when you can");
}

}  // namespace

bool CheckIdentityFiles(FileSystem& files, const TlsPaths& paths, absl::Time now,
                        Examination* examination) {
  const absl::Status status = CheckTlsFiles(paths, now);
  if (!status.ok()) return examination->Add("certificate", status, "");
  const absl::StatusOr<CertificateDescription> own =
      DescribeCertificateFile(files, paths.certificate);
  if (!own.ok()) return examination->Add("certificate", own.status(), "");
  const absl::Duration left = own->not_after - now;
  const std::string seen = absl::StrCat(own->spiffe_id, ", valid for ", ShortDuration(left));
  if (CertificateEndsSoon(*own, now)) {
    examination->Warn("certificate", absl::StrCat(seen, " only"),
                      "issue a new one with \"entente pki issue\" in place of it");
  } else {
    examination->Ok("certificate", seen);
  }
  return true;
}

absl::StatusOr<CertificateDescription> DescribeCertificateFile(FileSystem& files,
                                                               const std::string& path) {
  const absl::StatusOr<std::string> pem = ReadTextFile(files, path, limits::kPemBytesMax);
  if (!pem.ok()) return pem.status();
  return DescribeCertificate(*pem);
}

bool CertificateEndsSoon(const CertificateDescription& certificate, absl::Time now) {
  return EndsSoon(certificate, now, kCertificateLeftMin);
}

void CheckAuthorityFile(FileSystem& files, const std::string& path, const std::string& whose,
                        absl::Time now, Examination* examination) {
  const absl::StatusOr<CertificateDescription> authority = DescribeCertificateFile(files, path);
  if (!authority.ok()) {
    examination->Fail("member", absl::StrCat(whose, ": ", authority.status().message()),
                      "get the authority's certificate from the member");
    return;
  }
  const absl::Duration left = authority->not_after - now;
  const std::string who = absl::StrCat(whose, ": ", authority->spiffe_id);
  constexpr absl::string_view kFix =
      "have the member make a new authority, and put its certificate there";
  if (left <= absl::ZeroDuration()) {
    examination->Fail("member", absl::StrCat(who, " expired at ", TimeText(authority->not_after)),
                      kFix);
  } else if (EndsSoon(*authority, now, kAuthorityLeftMin)) {
    examination->Warn("member", absl::StrCat(who, ", valid for ", ShortDuration(left), " only"),
                      kFix);
  } else {
    examination->Ok("member", absl::StrCat(who, ", valid for ", ShortDuration(left)));
  }
}

void CheckClock(absl::Duration ahead, absl::Duration uncertainty, Examination* examination) {
  const absl::Duration away = absl::AbsDuration(ahead) - uncertainty;
  if (away <= kSkewWarned) {
    examination->Ok("clock", "as the coordinator's");
    return;
  }
  const std::string seen =
      absl::StrCat("this machine's clock is ", ShortDuration(absl::AbsDuration(ahead)),
                   ahead > absl::ZeroDuration() ? " behind" : " ahead of", " the coordinator's");
  constexpr absl::string_view kFix =
      "let both machines set their clocks by NTP, e.g. \"timedatectl set-ntp true\"";
  if (away > kSkewFailed) {
    examination->Fail("clock", seen, kFix);
  } else {
    examination->Warn("clock", seen, kFix);
  }
}

void CheckConnection(const Invocation& invocation, const ConnectionTarget& target,
                     Examination* examination) {
  if (!CheckWay(invocation, target, examination)) return;
  const absl::StatusOr<std::unique_ptr<CoordinatorClient>> client =
      CoordinatorClient::Create(target, invocation.timeout,
                                {.clock = invocation.surroundings.clock,
                                 .interruption = invocation.surroundings.interruption,
                                 .trace = invocation.Trace()});
  if (!client.ok()) {
    examination->Add("coordinator", client.status(), "");
    return;
  }
  const absl::StatusOr<Greeting> greeting = (*client)->Greet();
  if (!greeting.ok()) {
    examination->Add("coordinator", greeting.status(), "");
    return;
  }
  const v1::GetVersionResponse& response = greeting->version;
  const absl::StatusOr<CertificateDescription> own =
      DescribeCertificateFile(invocation.files(), target.tls.certificate);
  const bool is_said = own.ok() && own->spiffe_id == response.caller();
  examination->Ok("coordinator",
                  is_said ? "answers, and knows us by the certificate's name"
                          : absl::StrCat("answers, and takes us for ", response.caller()));
  CheckVersion(invocation.surroundings.version, response.version(), examination);
  if (greeting->clock_ahead.has_value()) {
    CheckClock(*greeting->clock_ahead, greeting->uncertainty, examination);
  } else {
    examination->Warn("clock", "this coordinator does not tell its time",
                      "compare \"date -u\" on both machines");
  }
  examination->Add(
      "protocol", CheckProtocol(response),
      absl::StrCat("version ", response.protocol_version(), ".", response.protocol_minor()));
}

}  // namespace entente::cli
