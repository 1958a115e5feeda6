// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/status_conversion.h"

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/limits.h"
#include "common/base/utf8.h"

namespace entente {
namespace {

// gRPC refuses metadata of over 8 KiB, and percent-encoding can triple a message.
constexpr size_t kMessageBytesMax = 4 * limits::kReasonBytesMax;
constexpr absl::string_view kEllipsis = "...";

std::string Shortened(absl::string_view message) {
  if (message.size() <= kMessageBytesMax) return std::string(message);
  return absl::StrCat(ClipUtf8(message, kMessageBytesMax - kEllipsis.size()), kEllipsis);
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), Shortened(status.message()));
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const int code = status.error_code();
  // A peer may send any number; absl::Status wants one of its own.
  const bool known = code > 0 && code <= static_cast<int>(absl::StatusCode::kUnauthenticated);
  return absl::Status(known ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
                      Shortened(status.error_message()));
}

}  // namespace entente
