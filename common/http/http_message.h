// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_HTTP_MESSAGE_H_
#define COMMON_HTTP_HTTP_MESSAGE_H_

// What a browser asks and what it is answered.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/http/event_stream.h"

namespace entente::http {

// Who looks. Each sees what the one before it sees, and more.
struct Viewer {
  enum class Kind {
    kPublic,    // Anybody.
    kMember,    // Of `member`, by certificate.
    kOperator,  // By certificate, by token, or on this machine where neither is asked for.
  };
  Kind kind = Kind::kPublic;
  std::string member = {};  // "fr-lab"; for kMember.
};

// "public", "member", "operator".
absl::string_view ViewerKindName(Viewer::Kind kind);

struct Request {
  std::string method;  // "GET" or "HEAD"; the answer to HEAD is sent without its body.
  std::string path;    // Decoded, from the first '/', without the query. Any bytes may be in it.
  std::multimap<std::string, std::string> query = {};    // Decoded.
  std::multimap<std::string, std::string> headers = {};  // Names in lower case.
  Viewer viewer = {};

  // The first of that name; empty if there is none.
  std::string QueryValue(const std::string& name) const;
  std::string Header(const std::string& lower_case_name) const;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Whether a browser may keep it; for files that only change with the program. "no-store" if not.
  bool may_be_kept = false;
  // If set, the answer is a stream of events (text/event-stream): `body` is left out, and this is
  // called once with the stream, which lives as long as somebody holds it. On one of the server's
  // threads: send what there is, keep the stream where news comes from, return.
  std::function<void(std::shared_ptr<EventStream>)> events = {};
};

// "text/plain", with a line break at its end.
Response TextResponse(int status, absl::string_view sentence);

struct Route {
  std::string path;        // "/metrics"; with `is_prefix` "/assets/" and all that starts so.
  bool is_prefix = false;  // The longest prefix wins; an exact path goes before any.
  Viewer::Kind visible_to = Viewer::Kind::kOperator;  // And to whoever sees more.
  // What a request shows of who asks is not looked at, be it wrong or out of date: of a route for
  // everybody that says the same to everybody.
  bool ignores_viewer = false;
  // Called from several threads at once. Must be short: there are limits::kHttpThreads.
  std::function<Response(const Request&)> answer;
};

}  // namespace entente::http

#endif  // COMMON_HTTP_HTTP_MESSAGE_H_
