// SPDX-License-Identifier: Apache-2.0
#include "common/http/message_exchange.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/http/http_limits.h"

namespace entente::http {
namespace {

// Reads from one text and writes to another.
class MemoryStream final : public httplib::Stream {
 public:
  explicit MemoryStream(absl::string_view in) : in_(in) {}

  bool is_readable() const override { return !in_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* buffer, size_t size) override {
    const size_t count = std::min(size, in_.size());
    std::memcpy(buffer, in_.data(), count);
    in_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, size_t size) override {
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  // httplib refuses descriptors that its select() could not hold; here is none at all.
  socket_t socket() const override { return 0; }

  std::string TakeOut() { return std::move(out_); }

 private:
  absl::string_view in_;
  std::string out_;
};

// Pages take scripts and styles from this server only, are in nobody's frame, and send nothing
// anywhere.
constexpr std::pair<const char*, const char*> kSecurityHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

Request ToRequest(const httplib::Request& from) {
  Request request{.method = from.method, .path = from.path};
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  for (const auto& [name, value] : from.headers) {
    request.headers.emplace(absl::AsciiStrToLower(name), value);
  }
  return request;
}

void FillResponse(Response from, httplib::Response* to) {
  to->status = from.status;
  for (auto& [name, value] : from.headers) to->set_header(name, value);
  if (from.events != nullptr) {
    // Without a length and not in chunks: it ends when the connection does.
    to->set_content_provider("text/event-stream", [](size_t, httplib::DataSink& sink) {
      sink.done();
      return true;
    });
    to->set_header("Connection", "close");
    return;
  }
  to->set_content(std::move(from.body), from.content_type);
}

// What is wrong with a request, before any route sees it.
Response Misuse(const httplib::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = TextResponse(
        405, absl::StrCat("only GET and HEAD are answered here, not ", request.method));
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const std::string length = request.get_header_value("Content-Length");
  uint64_t body_bytes = 0;
  if (!length.empty() && !absl::SimpleAtoi(length, &body_bytes)) {
    return TextResponse(400, "Content-Length is not a number");
  }
  if (body_bytes > limits::kHttpBodyBytesMax) {
    return TextResponse(413,
                        absl::StrCat("the request has a body of ", body_bytes, " bytes; at most ",
                                     limits::kHttpBodyBytesMax, " are taken, and none is needed"));
  }
  return TextResponse(200, "");
}

bool HasBody(const httplib::Request& request) {
  const std::string length = request.get_header_value("Content-Length");
  return request.has_header("Transfer-Encoding") || (!length.empty() && length != "0");
}

absl::string_view SentenceOf(int status) {
  switch (status) {
    case 414:
      return "the address is longer than 8,192 characters";
    case 500:
      return "the program failed to answer; its log says why";
    default:
      return "this is not an HTTP request that can be understood; lines may have 8,192 characters";
  }
}

std::string WhatOf(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something that is no exception";
  }
}

// httplib would rather answer with Brotli, at its highest quality, which takes a second and a half
// for a megabyte of JSON where gzip takes hundredths and is little larger.
void TakeGzipAlone(httplib::Request* request) {
  const bool takes_gzip = absl::StrContains(request->get_header_value("Accept-Encoding"), "gzip");
  request->headers.erase("Accept-Encoding");
  if (takes_gzip) request->set_header("Accept-Encoding", "gzip");
}

// httplib's own server for the length of one exchange, without its sockets.
class OneExchange final : public httplib::Server {
 public:
  bool Run(httplib::Stream* stream) {
    bool peer_closes = false;
    const auto temper = [this](httplib::Request& request) {
      request.ranges.clear();  // Ours are not files; a few bytes could ask for much work.
      TakeGzipAlone(&request);
      has_body_ = HasBody(request);
    };
    const bool complete = process_request(*stream, /*close_connection=*/false, peer_closes, temper);
    return complete && !peer_closes && !has_body_;
  }

 private:
  bool has_body_ = false;
};

}  // namespace

size_t HeadEnd(absl::string_view bytes) {
  // httplib takes lines that end in a bare line feed too.
  const size_t crlf = bytes.find("\r\n\r\n");
  const size_t lf = bytes.find("\n\n");
  if (crlf == absl::string_view::npos && lf == absl::string_view::npos) {
    return absl::string_view::npos;
  }
  return crlf < lf ? crlf + 4 : lf + 2;
}

Answer ExchangeMessages(absl::string_view head, const std::function<Response(Request)>& route) {
  Answer answer;
  OneExchange exchange;
  httplib::Headers headers;
  for (const auto& [name, value] : kSecurityHeaders) headers.emplace(name, value);
  exchange.set_default_headers(std::move(headers));
  bool understood = false;
  exchange.set_pre_routing_handler(
      [&](const httplib::Request& request, httplib::Response& response) {
        understood = true;
        Response ours = Misuse(request);
        if (ours.status == 200) ours = route(ToRequest(request));
        if (request.method != "HEAD") answer.events = ours.events;
        response.set_header("Cache-Control", ours.may_be_kept ? "max-age=3600" : "no-store");
        FillResponse(std::move(ours), &response);
        return httplib::Server::HandlerResponse::Handled;
      });
  exchange.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    response.set_content(absl::StrCat(SentenceOf(response.status), "\n"),
                         "text/plain; charset=utf-8");
  });
  // httplib would put what was thrown into a header.
  exchange.set_exception_handler(
      [](const httplib::Request&, httplib::Response& response, std::exception_ptr thrown) {
        response.status = 500;
        log::Error("a page failed", {{"reason", WhatOf(thrown)}});
      });
  exchange.set_keep_alive_timeout(absl::ToInt64Seconds(limits::kHttpIdleTimeMax));
  MemoryStream stream(head);
  answer.keeps_open = exchange.Run(&stream) && understood && answer.events == nullptr;
  answer.bytes = stream.TakeOut();
  return answer;
}

std::string RefusalBytes(int status, absl::string_view sentence) {
  return absl::StrCat("HTTP/1.1 ", status,
                      " Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ",
                      sentence.size() + 1, "\r\nConnection: close\r\n\r\n", sentence, "\n");
}

}  // namespace entente::http
