// SPDX-License-Identifier: Apache-2.0
#include "common/http/event_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace entente::http {
namespace {

std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\r", " "}, {"\n", " "}});
}

}  // namespace

std::string EventText(absl::string_view name, absl::string_view data, absl::string_view id) {
  std::string text;
  if (!id.empty()) absl::StrAppend(&text, "id: ", OneLine(id), "\n");
  if (!name.empty()) absl::StrAppend(&text, "event: ", OneLine(name), "\n");
  // A carriage return ends a line too.
  const std::string lines = absl::StrReplaceAll(data, {{"\r\n", "\n"}, {"\r", "\n"}});
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    absl::StrAppend(&text, "data: ", line, "\n");
  }
  text.push_back('\n');
  return text;
}

EventStream::EventStream(std::function<void()> wake, size_t queue_bytes_max)
    : wake_(std::move(wake)), queue_bytes_max_(queue_bytes_max) {}

bool EventStream::Send(absl::string_view name, absl::string_view data, absl::string_view id) {
  return SendText(EventText(name, data, id));
}

bool EventStream::SendText(absl::string_view event_text) {
  bool sent = false;
  {
    absl::MutexLock lock(&mu_);
    if (!open_) return false;
    open_ = sent = queue_.size() + event_text.size() <= queue_bytes_max_;
    if (sent) absl::StrAppend(&queue_, event_text);
  }
  wake_();
  return sent;
}

bool EventStream::open() const {
  absl::MutexLock lock(&mu_);
  return open_;
}

void EventStream::Close() {
  {
    absl::MutexLock lock(&mu_);
    if (!open_) return;
    open_ = false;
  }
  wake_();
}

std::string EventStream::Take() {
  absl::MutexLock lock(&mu_);
  return std::exchange(queue_, {});
}

}  // namespace entente::http
