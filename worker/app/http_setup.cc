// SPDX-License-Identifier: Apache-2.0
#include "worker/app/http_setup.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/http/status_routes.h"
#include "common/identity/certificate.h"

namespace entente::worker {
namespace {

// Of the authority in the file: it vouches for the people of its own trust domain.
absl::StatusOr<std::unique_ptr<TrustStore>> TrustOf(FileSystem& files, const std::string& path) {
  if (path.empty()) return nullptr;
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(files, path, limits::kPemBytesMax));
  const auto authority = DescribeCertificate(pem);
  if (!authority.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", authority.status().message()));
  }
  const std::string trust_domain(absl::StripPrefix(authority->spiffe_id, "spiffe://"));
  std::vector<TrustStore::Authority> authorities;
  authorities.push_back({.trust_domain = trust_domain,
                         .certificates_pem = pem,
                         .roles = {Role::kOperator, Role::kObserver}});
  return TrustStore::Create(std::move(authorities));
}

http::HttpServer::Options OptionsOf(const config::v1::WorkerConfig& config, const Clock* clock,
                                    FileSystem* files, const TrustStore* trust) {
  http::HttpServer::Options options;
  options.listen = config.http().listen();
  options.tls = {.certificate = config.http().tls().certificate(),
                 .private_key = config.http().tls().private_key(),
                 .authority = ""};
  options.token_file = config.http().token_file();
  options.trust = trust;
  options.clock = clock;
  options.files = files;
  return options;
}

}  // namespace

absl::Status CheckWorkerHttp(const config::v1::WorkerConfig& config, const Clock* clock,
                             FileSystem* files) {
  if (IsHttpOff(config.http())) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TrustStore> trust,
                           TrustOf(*files, config.http().tls().authority()));
  return http::HttpServer::Check(OptionsOf(config, clock, files, trust.get()));
}

absl::StatusOr<WorkerHttp> StartWorkerHttp(const config::v1::WorkerConfig& config,
                                           const Clock* clock, FileSystem* files,
                                           WorkerMetrics* metrics) {
  WorkerHttp http;
  if (IsHttpOff(config.http())) return http;
  ENTENTE_ASSIGN_OR_RETURN(http.trust, TrustOf(*files, config.http().tls().authority()));
  http::HttpServer::Options options = OptionsOf(config, clock, files, http.trust.get());
  options.routes = http::StatusRoutes({.metrics = [metrics] { return metrics->Render(); },
                                       .readiness = [metrics] { return metrics->readiness(); }});
  ENTENTE_ASSIGN_OR_RETURN(http.server, http::HttpServer::Start(std::move(options)));
  if (!config.http().port_file().empty()) {
    ENTENTE_RETURN_IF_ERROR(WriteTextFileIfChanged(*files, config.http().port_file(),
                                                   absl::StrCat(http.server->port(), "\n")));
  }
  log::Info("http ready", {{"url", http.server->url()}, {"port", http.server->port()}});
  return http;
}

}  // namespace entente::worker
