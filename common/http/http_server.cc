// SPDX-License-Identifier: Apache-2.0
#include "common/http/http_server.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/http/connection_loop.h"
#include "common/http/http_access.h"
#include "common/http/listening_socket.h"
#include "common/http/tls_context.h"

namespace entente::http {
namespace {

bool HasTls(const HttpServer::Options& options) { return !options.tls.certificate.empty(); }

absl::Status CheckExposure(const HttpServer::Options& options) {
  ENTENTE_ASSIGN_OR_RETURN(const auto where, ListeningSocket::Parse(options.listen));
  if (IsLoopback(where.host)) return absl::OkStatus();
  const bool knows_viewers =
      !options.token_file.empty() || (HasTls(options) && options.trust != nullptr);
  if (HasTls(options) && knows_viewers) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "`http.listen` is ", options.listen, ", which other machines can reach; that needs ",
      HasTls(options) ? "`http.tokenFile` or an authority in `http.tls`"
                      : "`http.tls`, and client certificates or `http.tokenFile`",
      ", or listen on 127.0.0.1"));
}

// The longest way to a path among routes; exact ones go before prefixes.
const Route* FindRoute(const std::vector<Route>& routes, const std::string& path) {
  const Route* best = nullptr;
  for (const Route& route : routes) {
    if (!route.is_prefix && route.path == path) return &route;
    if (route.is_prefix && absl::StartsWith(path, route.path) &&
        (best == nullptr || route.path.size() > best->path.size())) {
      best = &route;
    }
  }
  return best;
}

Response Refused(const absl::Status& status) {
  const bool is_unknown = absl::IsUnauthenticated(status);
  Response response = TextResponse(is_unknown ? 401 : 403, status.message());
  // So that a browser asks its user for the token, as the password.
  if (is_unknown) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"entente\"");
  return response;
}

}  // namespace

struct HttpServer::Parts {
  Options options;
  std::unique_ptr<HttpAccess> access;
  std::unique_ptr<TlsContext> tls;
  std::string url;
  int port = 0;
  std::unique_ptr<ConnectionLoop> loop;

  absl::Status Prepare();
  Response AnswerTo(Request request, const std::string& chain_pem);
};

absl::Status HttpServer::Parts::Prepare() {
  ENTENTE_RETURN_IF_ERROR(CheckExposure(options));
  const TrustStore* const trust = HasTls(options) ? options.trust : nullptr;
  ENTENTE_ASSIGN_OR_RETURN(access, HttpAccess::Create({.token_file = options.token_file,
                                                       .trust = trust,
                                                       .member_of = options.member_of,
                                                       .clock = options.clock,
                                                       .files = options.files}));
  if (!HasTls(options)) return absl::OkStatus();
  ENTENTE_ASSIGN_OR_RETURN(
      tls, TlsContext::Create({.paths = options.tls,
                               .authorities_pem = trust == nullptr ? "" : trust->BundlePem(),
                               .clock = options.clock,
                               .files = options.files}));
  return absl::OkStatus();
}

Response HttpServer::Parts::AnswerTo(Request request, const std::string& chain_pem) {
  const Route* const route = FindRoute(options.routes, request.path);
  HttpAccess::Shown shown;
  shown.host = request.Header("host");
  if (route == nullptr || !route->ignores_viewer) {
    shown.authorization = request.Header("authorization");
    shown.chain_pem = chain_pem;
  }
  const absl::StatusOr<Viewer> viewer = access->ViewerOf(shown);
  if (!viewer.ok()) return Refused(viewer.status());
  if (route == nullptr) {
    return TextResponse(404, "there is no such page here; what there is starts at /");
  }
  if (viewer->kind < route->visible_to) {
    const std::string sentence = absl::StrCat("this is for ", ViewerKindName(route->visible_to),
                                              "s; show a certificate or a token of one");
    return Refused(viewer->kind == Viewer::Kind::kPublic ? absl::UnauthenticatedError(sentence)
                                                         : absl::PermissionDeniedError(sentence));
  }
  request.viewer = *viewer;
  return route->answer(request);
}

absl::Status HttpServer::Check(Options options) {
  Parts parts;
  parts.options = std::move(options);
  return parts.Prepare();
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options) {
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  ENTENTE_RETURN_IF_ERROR(parts->Prepare());
  ENTENTE_ASSIGN_OR_RETURN(ListeningSocket listener, ListeningSocket::Open(parts->options.listen));
  ENTENTE_ASSIGN_OR_RETURN(const auto where, ListeningSocket::Parse(parts->options.listen));
  parts->port = listener.port();
  const bool is_ipv6 = absl::StrContains(where.host, ':');
  parts->url = absl::StrCat(HasTls(parts->options) ? "https://" : "http://", is_ipv6 ? "[" : "",
                            where.host, is_ipv6 ? "]:" : ":", parts->port, "/");
  parts->loop = std::make_unique<ConnectionLoop>(ConnectionLoop::Options{
      .listener = std::move(listener),
      .tls = parts->tls.get(),
      .clock = parts->options.clock,
      .answering = [parts = parts.get()](const std::string& head, const std::string& chain_pem) {
        return ExchangeMessages(
            head, [&](Request request) { return parts->AnswerTo(std::move(request), chain_pem); });
      }});
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

HttpServer::~HttpServer() = default;

int HttpServer::port() const { return parts_->port; }

std::string HttpServer::url() const { return parts_->url; }

void HttpServer::Stop() { parts_->loop.reset(); }

}  // namespace entente::http
