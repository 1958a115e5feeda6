// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_HTTP_MESSAGE_EXCHANGE_H_
#define COMMON_HTTP_MESSAGE_EXCHANGE_H_

// One request's bytes to one answer's, by cpp-httplib: what it reads and writes is in memory.

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/http/http_message.h"

namespace entente::http {

struct Answer {
  std::string bytes;        // The head, and the body unless it is a stream.
  bool keeps_open = false;  // Whether the connection may carry another request.
  // Set if a stream of events follows.
  std::function<void(std::shared_ptr<EventStream>)> events = {};
};

// Where the head of a request ends in `bytes`, the empty line included; npos if it does not yet.
size_t HeadEnd(absl::string_view bytes);

// Answers the request with this head. `route` is asked for GET and HEAD without much of a body; for
// anything else, and for what is not HTTP, there is a sentence: 400, 405, 413, 414. An exception is
// a 500. Security headers are added to every answer.
//
// A request with a body closes the connection after its answer, for the body is not read.
Answer ExchangeMessages(absl::string_view head, const std::function<Response(Request)>& route);

// The answer to something that is not even looked at.
std::string RefusalBytes(int status, absl::string_view sentence);

}  // namespace entente::http

#endif  // COMMON_HTTP_MESSAGE_EXCHANGE_H_
