// SPDX-License-Identifier: Apache-2.0
#include "common/http/post_client.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/steady_cond_var.h"

namespace entente::http {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(20);
constexpr uint64_t kHeadBytesMax = 64 << 10;  // Of the answer's head and the TLS handshake.

absl::Time SteadyTime() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// What Linux says after the part that glibc 2.36 declares.
struct LongTcpInfo {
  tcp_info known;
  uint64_t pacing_rate;
  uint64_t max_pacing_rate;
  uint64_t bytes_acked;
  uint64_t bytes_received;
};
static_assert(offsetof(LongTcpInfo, bytes_received) == 128, "as in linux/tcp.h");

uint64_t BytesReceived(int socket) {
  LongTcpInfo info = {};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.bytes_received;
}

}  // namespace

// Shuts the connection of one Post when its time is over, it was cancelled, or too much comes:
// cpp-httplib has a timeout for each read, and a peer that sends a byte now and then outlives them.
class PostClient::Watch {
 public:
  Watch(absl::Duration timeout, uint64_t received_bytes_max)
      : deadline_(SteadyTime() + timeout),
        received_bytes_max_(received_bytes_max),
        thread_([this] { Run(); }) {}

  ~Watch() {
    {
      absl::MutexLock lock(&mu_);
      is_done_ = true;
      done_.SignalAll();
    }
    thread_.join();
    if (socket_ >= 0) close(socket_);
  }

  // The connection that is about to be made. A copy of its descriptor is kept, so that none is shut
  // that has become another's.
  void SetSocket(int socket) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (socket_ >= 0) close(socket_);
    socket_ = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  }

  void Cancel() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (end_.ok()) end_ = absl::CancelledError("given up: the program is stopping");
  }

  // Why it was shut; OK: it was not.
  absl::Status end() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return end_;
  }

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    while (!is_done_) {
      if (end_.ok() && SteadyTime() >= deadline_) {
        end_ = absl::DeadlineExceededError("did not answer in time");
      }
      if (end_.ok() && socket_ >= 0 && BytesReceived(socket_) > received_bytes_max_) {
        end_ = absl::UnavailableError("sent more than an answer may have");
      }
      // Again and again: a name may have more addresses, each with a connection of its own.
      if (!end_.ok() && socket_ >= 0) shutdown(socket_, SHUT_RDWR);
      done_.AwaitFor(&mu_, kLookInterval,
                     [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return is_done_; });
    }
  }

  const absl::Time deadline_;
  const uint64_t received_bytes_max_;

  absl::Mutex mu_;
  SteadyCondVar done_;
  absl::Status end_ ABSL_GUARDED_BY(mu_);
  int socket_ ABSL_GUARDED_BY(mu_) = -1;
  bool is_done_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;  // Last: it uses the others.
};

namespace {

// What went wrong, after "<origin> ".
absl::Status ToStatus(httplib::Error error, const std::string& origin) {
  switch (error) {
    case httplib::Error::SSLServerVerification:
      return absl::FailedPreconditionError(absl::StrCat(
          origin,
          " has a certificate that none of the trusted authorities vouches for, or that is "
          "another host's"));
    case httplib::Error::SSLLoadingCerts:
      return absl::FailedPreconditionError(
          absl::StrCat("the authority that vouches for ", origin, " cannot be read"));
    case httplib::Error::Connection:
      return absl::UnavailableError(absl::StrCat(origin, " cannot be connected to"));
    case httplib::Error::ConnectionTimeout:
      return absl::DeadlineExceededError(absl::StrCat(origin, " did not answer in time"));
    case httplib::Error::SSLConnection:
      return absl::UnavailableError(absl::StrCat(origin, " does not speak TLS with us"));
    default:
      return absl::UnavailableError(
          absl::StrCat(origin, " broke off (", httplib::to_string(error), ")"));
  }
}

std::unique_ptr<httplib::ClientImpl> MakeConnection(const PostClient::Options& options) {
  const HttpUrl& url = options.url;
  std::unique_ptr<httplib::ClientImpl> connection;
  if (url.is_https) {
    connection = std::make_unique<httplib::SSLClient>(url.host, url.port);
    connection->enable_server_certificate_verification(true);
    if (!options.authority_file.empty()) connection->set_ca_cert_path(options.authority_file);
  } else {
    connection = std::make_unique<httplib::ClientImpl>(url.host, url.port);
  }
  const auto timeout = std::chrono::milliseconds(absl::ToInt64Milliseconds(options.timeout));
  connection->set_connection_timeout(timeout);
  // Behind the deadline, which is the Watch's to keep and to name.
  connection->set_read_timeout(2 * timeout);
  connection->set_write_timeout(2 * timeout);
  connection->set_follow_location(false);
  connection->set_keep_alive(false);
  connection->set_decompress(false);
  connection->set_tcp_nodelay(true);
  return connection;
}

// The answer's status; 0: there is none, and `error` says why. The body is read up to the limit and
// thrown away.
int Exchange(httplib::ClientImpl& connection, httplib::Request request, size_t answer_bytes_max,
             httplib::Error* error) {
  int status = 0;
  size_t bytes = 0;
  request.response_handler = [&](const httplib::Response& response) {
    status = response.status;
    return true;
  };
  request.content_receiver = [&](const char*, size_t count, uint64_t, uint64_t) {
    bytes += count;
    return bytes <= answer_bytes_max;
  };
  const httplib::Result result = connection.send(request);
  *error = result.error();
  return result ? result->status : status;
}

}  // namespace

PostClient::PostClient(Options options) : options_(std::move(options)) {}

PostClient::~PostClient() = default;

absl::StatusOr<int> PostClient::Post(const Headers& headers, const std::string& content_type,
                                     const std::string& body) {
  absl::MutexLock post_lock(&post_mu_);
  const std::string origin = options_.url.Origin();
  Watch watch(options_.timeout, options_.answer_bytes_max + kHeadBytesMax);
  {
    absl::MutexLock lock(&mu_);
    if (cancelled_) return absl::CancelledError("given up: the program is stopping");
    watch_ = &watch;
  }
  httplib::Request request;
  request.method = "POST";
  request.path = options_.url.path;
  request.body = body;
  for (const auto& [name, value] : headers) request.set_header(name, value);
  request.set_header("Content-Type", content_type);
  request.set_header("Host", options_.url.Authority());
  request.set_header("User-Agent", options_.user_agent);
  httplib::Error error = httplib::Error::Unknown;
  int status = 0;
  try {
    const std::unique_ptr<httplib::ClientImpl> connection = MakeConnection(options_);
    connection->set_socket_options([&watch](int socket) { watch.SetSocket(socket); });
    status = Exchange(*connection, std::move(request), options_.answer_bytes_max, &error);
  } catch (const std::exception&) {
    error = httplib::Error::Unknown;
  }
  {
    absl::MutexLock lock(&mu_);
    watch_ = nullptr;
  }
  if (status > 0) return status;
  const absl::Status end = watch.end();
  if (end.ok()) return ToStatus(error, origin);
  return absl::Status(end.code(), absl::StrCat(origin, " ", end.message()));
}

void PostClient::Cancel() {
  absl::MutexLock lock(&mu_);
  cancelled_ = true;
  if (watch_ != nullptr) watch_->Cancel();
}

}  // namespace entente::http
