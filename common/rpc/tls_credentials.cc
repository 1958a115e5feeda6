// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/tls_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/identity/certificate.h"

namespace entente {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

constexpr int kKeepaliveMilliseconds = 20'000;
constexpr int kKeepaliveTimeoutMilliseconds = 10'000;

// Bounds of the time that one try to connect may take, by how soon the next may come.
constexpr absl::Duration kConnectMin = absl::Seconds(5);
constexpr absl::Duration kConnectMax = absl::Seconds(20);

absl::Status InFile(const std::string& path, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

std::string DateText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

// The file's text. Its errors name the path already.
absl::StatusOr<std::string> ReadPem(const std::string& path, absl::string_view what) {
  if (path.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no file is named for the ", what));
  }
  PosixFileSystem files;
  absl::StatusOr<std::string> text = ReadTextFile(files, path, limits::kPemBytesMax);
  if (text.ok()) return text;
  const std::string message = absl::StrCat("the ", what, ": ", text.status().message());
  return absl::IsNotFound(text.status()) ? absl::NotFoundError(message)
                                         : absl::InvalidArgumentError(message);
}

absl::Status CheckDates(const std::string& path, const CertificateDescription& certificate,
                        absl::Time now) {
  if (now >= certificate.not_after) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the certificate \"", certificate.subject, "\" expired at ",
                     DateText(certificate.not_after), "; put a new one in its place"));
  }
  if (now < certificate.not_before) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the certificate \"", certificate.subject, "\" is not valid before ",
                     DateText(certificate.not_before), "; is this machine's clock right?"));
  }
  return absl::OkStatus();
}

absl::Status CheckPrivateKeyMode(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    return absl::NotFoundError(absl::StrCat("the private key: ", path, ": ", std::strerror(errno)));
  }
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": other users may read or change this private key; run chmod 600 ", path));
}

absl::Status CheckAuthorityFile(const std::string& path, absl::Time now) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem, ReadPem(path, "authority"));
  const absl::StatusOr<std::vector<CertificateDescription>> all = DescribeCertificates(pem);
  if (!all.ok()) return InFile(path, all.status());
  absl::Status last;
  bool one_is_valid = false;
  for (const CertificateDescription& certificate : *all) {
    if (!certificate.is_authority) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": the certificate \"", certificate.subject,
                       "\" is not an authority's; name the file of "
                       "whoever issued the other side's certificate"));
    }
    // While authorities are replaced the old one may expire beside the new one.
    last = CheckDates(path, certificate, now);
    one_is_valid = one_is_valid || last.ok();
  }
  return one_is_valid ? absl::OkStatus() : last;
}

std::shared_ptr<FileWatcherCertificateProvider> Watch(const TlsPaths& paths,
                                                      absl::Duration interval) {
  const int64_t seconds = std::max<int64_t>(1, absl::ToInt64Seconds(interval));
  return std::make_shared<FileWatcherCertificateProvider>(
      paths.private_key, paths.certificate, paths.authority, static_cast<unsigned int>(seconds));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsPaths& paths, absl::Time now) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string certificate,
                           ReadPem(paths.certificate, "certificate"));
  const absl::StatusOr<CertificateDescription> leaf = DescribeCertificate(certificate);
  if (!leaf.ok()) return InFile(paths.certificate, leaf.status());
  ENTENTE_RETURN_IF_ERROR(CheckDates(paths.certificate, *leaf, now));

  ENTENTE_ASSIGN_OR_RETURN(const std::string key, ReadPem(paths.private_key, "private key"));
  ENTENTE_RETURN_IF_ERROR(CheckPrivateKeyMode(paths.private_key));
  if (const absl::Status fits = CheckKeyFits(certificate, key); !fits.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(paths.private_key, ": ", fits.message(), " (", paths.certificate, ")"));
  }
  return CheckAuthorityFile(paths.authority, now);
}

absl::Status CheckCertificateRole(const std::string& certificate_path, Role role) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string pem, ReadPem(certificate_path, "certificate"));
  const absl::StatusOr<CertificateDescription> leaf = DescribeCertificate(pem);
  if (!leaf.ok()) return InFile(certificate_path, leaf.status());
  const absl::StatusOr<PeerIdentity> identity = ParseSpiffeId(leaf->spiffe_id);
  if (!identity.ok()) return InFile(certificate_path, identity.status());
  if (identity->role == role) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      certificate_path, " is for the role ", RoleName(identity->role), ", and the role ",
      RoleName(role), " is needed here; make one with `entente pki issue --role ", RoleName(role),
      "`"));
}

std::shared_ptr<grpc::ServerCredentials> ServerTls(const TlsPaths& paths,
                                                   absl::Duration reload_interval) {
  grpc::experimental::TlsServerCredentialsOptions options(Watch(paths, reload_interval));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> ClientTls(const TlsPaths& paths,
                                                    absl::Duration reload_interval) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(paths, reload_interval));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_certificate_verifier(
      std::make_shared<grpc::experimental::HostNameCertificateVerifier>());
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::Channel> DialCoordinator(const std::string& target, const TlsPaths& paths,
                                               absl::Duration reconnect_max) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // Waiting streams are pinged too.
  const auto milliseconds = [](absl::Duration duration) {
    return static_cast<int>(absl::ToInt64Milliseconds(duration));
  };
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, milliseconds(limits::kBackoffFirst));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, milliseconds(reconnect_max));
  // How long one try may take, too: one that fell into a restart is answered by nobody.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   milliseconds(std::clamp(reconnect_max, kConnectMin, kConnectMax)));
  // gRPC would enlarge the window for as long as the reader is slower than the link.
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, limits::kDownloadWindowBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  arguments.SetMaxSendMessageSize(limits::kMessageBytesMax);
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(target, ClientTls(paths), arguments);
  ENTENTE_CHECK(channel != nullptr);
  return channel;
}

void SetServerChannelOptions(grpc::ServerBuilder* builder, const ServerMemory& memory,
                             absl::Duration connection_age_max) {
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, memory.window_bytes);
  builder->SetResourceQuota(grpc::ResourceQuota("entente").Resize(memory.quota_bytes));
  builder->SetMaxReceiveMessageSize(limits::kMessageBytesMax);
  builder->SetMaxSendMessageSize(limits::kMessageBytesMax);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                              kKeepaliveMilliseconds / 2);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                              static_cast<int>(absl::ToInt64Milliseconds(connection_age_max)));
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                              std::numeric_limits<int>::max());  // A worker stays for weeks.
}

}  // namespace entente
