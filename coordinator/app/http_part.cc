// SPDX-License-Identifier: Apache-2.0
#include "coordinator/app/http_part.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/config/coordinator_config.h"

namespace entente {
namespace {

http::HttpServer::Options HttpOptionsOf(const config::v1::CoordinatorConfig& config,
                                        const HttpSources& sources) {
  http::HttpServer::Options options;
  options.listen = config.http().listen();
  options.tls = {.certificate = config.http().tls().certificate(),
                 .private_key = config.http().tls().private_key(),
                 .authority = ""};
  options.token_file = config.http().token_file();
  options.trust = sources.trust;
  options.member_of = [workers = sources.workers](const PeerIdentity& identity) {
    for (const members::MemberInfo& member : workers->members()) {
      if (member.trust_domain == identity.trust_domain) return member.id.value();
    }
    return std::string();
  };
  options.clock = sources.clock;
  options.files = sources.files;
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<http::HttpServer>> StartHttp(
    const config::v1::CoordinatorConfig& config, const HttpSources& sources,
    std::vector<http::Route> routes) {
  if (IsHttpOff(config.http())) return nullptr;
  http::HttpServer::Options options = HttpOptionsOf(config, sources);
  options.routes = std::move(routes);
  auto server = http::HttpServer::Start(std::move(options));
  if (absl::IsUnavailable(server.status()) && config.http().listen() == kDefaultHttpListen) {
    // Nobody asked for it by name, so a second coordinator on a machine does without.
    log::Warning("there is no dashboard",
                 {{"reason", std::string(server.status().message())},
                  {"remedy", "set http.listen to a free port, or to off"}});
    return nullptr;
  }
  ENTENTE_RETURN_IF_ERROR(server.status());
  if (!config.http().port_file().empty()) {
    ENTENTE_RETURN_IF_ERROR(WriteTextFile(*sources.files, config.http().port_file(),
                                          absl::StrCat((*server)->port(), "\n")));
  }
  return server;
}

absl::Status CheckHttpFiles(const config::v1::CoordinatorConfig& config,
                            const HttpSources& sources) {
  if (IsHttpOff(config.http())) return absl::OkStatus();
  return http::HttpServer::Check(HttpOptionsOf(config, sources));
}

}  // namespace entente
