// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app/http_setup.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/config/coordinator_config.h"

namespace entente {
namespace {

using config::v1::CoordinatorConfig;

http::HttpServer::Options HttpOptions(const CoordinatorConfig& config, const HttpParts& parts) {
  std::map<std::string, std::string> members;  // By trust domain.
  for (const config::v1::MemberConfig& member : config.members()) {
    members[member.trust_domain()] = member.id();
  }
  http::HttpServer::Options options;
  options.listen = config.http().listen();
  options.tls = {.certificate = config.http().tls().certificate(),
                 .private_key = config.http().tls().private_key(),
                 .authority = ""};
  options.token_file = config.http().token_file();
  options.trust = parts.trust;
  options.member_of = [members = std::move(members)](const PeerIdentity& identity) {
    const auto it = members.find(identity.trust_domain);
    return it == members.end() ? std::string() : it->second;
  };
  options.clock = parts.clock;
  options.files = parts.files;
  return options;
}

}  // namespace

metrics::CoordinatorMetrics::Options MetricsOptions(const CoordinatorConfig& config,
                                                    const std::string& version) {
  metrics::CoordinatorMetrics::Options options{.version = version,
                                               .data_directory = config.data_directory(),
                                               .free_bytes_min = config.limits().free_bytes_min(),
                                               .spool_bytes_max = config.limits().spool_bytes_max(),
                                               .certificate = config.tls().certificate(),
                                               .http_certificate = "",
                                               .alliance_authority = config.alliance().authority(),
                                               .authorities = {}};
  if (!IsHttpOff(config.http())) options.http_certificate = config.http().tls().certificate();
  for (const config::v1::MemberConfig& member : config.members()) {
    options.authorities[member.id()] = member.authority();
  }
  return options;
}

absl::Status CheckHttpSetup(const CoordinatorConfig& config, const HttpParts& parts) {
  if (IsHttpOff(config.http())) return absl::OkStatus();
  return http::HttpServer::Check(HttpOptions(config, parts));
}

absl::StatusOr<std::unique_ptr<http::HttpServer>> StartHttp(const CoordinatorConfig& config,
                                                            const HttpParts& parts,
                                                            std::vector<http::Route> routes) {
  if (IsHttpOff(config.http())) return nullptr;
  http::HttpServer::Options options = HttpOptions(config, parts);
  options.routes = std::move(routes);
  auto server = http::HttpServer::Start(std::move(options));
  if (absl::IsUnavailable(server.status()) && config.http().listen() == kDefaultHttpListen) {
    log::Warning("no HTTP: the default address is taken",
                 {{"reason", std::string(server.status().message())}});
    return nullptr;
  }
  if (!server.ok()) return server.status();
  if (!config.http().port_file().empty()) {
    ENTENTE_RETURN_IF_ERROR(WriteTextFileIfChanged(*parts.files, config.http().port_file(),
                                                   absl::StrCat((*server)->port(), "\n")));
  }
  log::Info("http ready", {{"url", (*server)->url()}, {"port", (*server)->port()}});
  return server;
}

}  // namespace entente
