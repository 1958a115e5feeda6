// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/listen_checks.h"

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/doctor/connection_checks.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/http/http_server.h"
#include "common/identity/certificate.h"
#include "common/identity/trust_store.h"
#include "common/rpc/tcp_connection.h"

namespace entente::cli {
namespace {

constexpr char kHttpFix[] = "put a new certificate and its key there; no restart is needed";

std::string ListenText(const std::string& listen, absl::string_view program) {
  const absl::StatusOr<HostAndPort> where = ParseHostAndPort(listen);
  if (!where.ok()) {  // Port 0, which is nobody's.
    return absl::StrCat(listen, ", a free one is picked at each start");
  }
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  return TcpConnection::Open(*where, deadline).ok()
             ? absl::StrCat(listen, " is taken: by this ", program, ", if it runs")
             : absl::StrCat(listen, " is free");
}

// Null: nobody vouches for any.
absl::StatusOr<std::unique_ptr<TrustStore>> TrustOfBrowsers(
    FileSystem& files, const std::vector<BrowserAuthority>& authorities) {
  if (authorities.empty()) return nullptr;
  std::vector<TrustStore::Authority> all;
  for (const BrowserAuthority& authority : authorities) {
    ENTENTE_ASSIGN_OR_RETURN(const std::string pem,
                             ReadTextFile(files, authority.path, limits::kPemBytesMax));
    std::string trust_domain = authority.trust_domain;
    if (trust_domain.empty()) {
      ENTENTE_ASSIGN_OR_RETURN(const CertificateDescription certificate,
                               DescribeCertificateFile(files, authority.path));
      trust_domain = std::string(absl::StripPrefix(certificate.spiffe_id, "spiffe://"));
    }
    // Whose browsers see what is asked when they come.
    all.push_back({.trust_domain = std::move(trust_domain),
                   .certificates_pem = pem,
                   .roles = {Role::kOperator, Role::kObserver}});
  }
  return TrustStore::Create(std::move(all));
}

// What the program's own start would refuse.
absl::Status CheckHttpStart(FileSystem& files, const Clock& clock, const config::v1::Http& section,
                            const std::vector<BrowserAuthority>& authorities) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrustStore> trust,
                           TrustOfBrowsers(files, authorities));
  http::HttpServer::Options options;
  options.listen = section.listen();
  options.tls = {.certificate = section.tls().certificate(),
                 .private_key = section.tls().private_key(),
                 .authority = ""};
  options.token_file = section.token_file();
  options.trust = trust.get();
  options.clock = &clock;
  options.files = &files;
  return http::HttpServer::Check(std::move(options));
}

}  // namespace

void CheckListen(const std::string& listen, absl::string_view program, Examination* examination) {
  examination->Ok("port", ListenText(listen, program));
}

void CheckHttpSection(FileSystem& files, const Clock& clock, const config::v1::Http& section,
                      const std::vector<BrowserAuthority>& authorities, absl::string_view program,
                      Examination* examination) {
  if (IsHttpOff(section)) return;
  const absl::Status status = CheckHttpStart(files, clock, section, authorities);
  if (!status.ok()) {
    examination->Add("http", status, "");
    return;
  }
  const std::string seen = ListenText(section.listen(), program);
  if (!section.has_tls()) {
    examination->Ok("http", seen);
    return;
  }
  const std::string& path = section.tls().certificate();
  const absl::StatusOr<CertificateDescription> own = DescribeCertificateFile(files, path);
  if (!own.ok()) {
    examination->Add("http", own.status(), "");
    return;
  }
  const absl::Duration left = own->not_after - clock.Now();
  if (left <= absl::ZeroDuration()) {
    examination->Fail("http", absl::StrCat(path, " expired at ", TimeText(own->not_after)),
                      kHttpFix);
    return;
  }
  const std::string valid =
      absl::StrCat(seen, ", with a certificate valid for ", ShortDuration(left));
  if (CertificateEndsSoon(*own, clock.Now())) {
    examination->Warn("http", absl::StrCat(valid, " only"), kHttpFix);
  } else {
    examination->Ok("http", valid);
  }
}

}  // namespace entente::cli
