// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/connection_probe.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/file_system.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/identity/certificate.h"
#include "common/identity/x509.h"
#include "common/rpc/tcp_connection.h"

namespace entente {
namespace {

using ContextPointer = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SessionPointer = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using std::chrono::steady_clock;

// With TLS 1.3 the client is done before the server has seen its certificate, so the server's word
// on it comes a round trip later: an alert, or HTTP/2's first frame.
constexpr auto kVerdictTime = std::chrono::milliseconds(300);

// What is known on our side, for the messages.
struct Probe {
  std::string target;
  CertificateDescription own;
  std::string authorities;  // Those that may have issued the server's certificate.
  ChainRefusal refusal;     // Why OpenSSL refused the server's, if it did.
};

// Keeps the reason for the refusal, with OpenSSL's own decision.
int OnVerified(int accepted, X509_STORE_CTX* context) {
  const auto* session = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* probe = static_cast<Probe*>(SSL_get_app_data(session));
  if (accepted == 0) probe->refusal = ExplainRefusal(context, probe->authorities);
  return accepted;
}

int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<ContextPointer> MakeContext(const TlsPaths& paths) {
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return OpenSslError("cannot use TLS");
  SSL_CTX_set_default_passwd_cb(context.get(), NoPassword);
  constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
  // SSL_CTX_set_alpn_protos returns 0 for success, unlike its neighbours.
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kHttp2.data(), kHttp2.size()) != 0) {
    return OpenSslError("cannot use TLS");
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), paths.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), paths.private_key.c_str(), SSL_FILETYPE_PEM) !=
          1 ||
      SSL_CTX_load_verify_file(context.get(), paths.authority.c_str()) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(OpenSslError(absl::StrCat("TLS does not take ", paths.certificate, ", ",
                                               paths.private_key, " or ", paths.authority))
                         .message()));
  }
  return context;
}

absl::StatusOr<SessionPointer> MakeSession(SSL_CTX* context, const HostAndPort& where,
                                           absl::Time now, Probe* probe) {
  SessionPointer session(SSL_new(context));
  if (session == nullptr) return OpenSslError("cannot use TLS");
  SSL_set_app_data(session.get(), probe);
  SSL_set_verify(session.get(), SSL_VERIFY_PEER, OnVerified);
  X509_VERIFY_PARAM* const param = SSL_get0_param(session.get());
  X509_VERIFY_PARAM_set_time(param, absl::ToTimeT(now));
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  const bool named =
      where.host_is_address
          ? X509_VERIFY_PARAM_set1_ip_asc(param, where.host.c_str()) == 1
          : X509_VERIFY_PARAM_set1_host(param, where.host.c_str(), where.host.size()) == 1 &&
                SSL_set_tlsext_host_name(session.get(), where.host.c_str()) == 1;
  BioPointer incoming(BIO_new(BIO_s_mem()));
  BioPointer outgoing(BIO_new(BIO_s_mem()));
  if (!named || incoming == nullptr || outgoing == nullptr) return OpenSslError("cannot use TLS");
  BIO_set_mem_eof_return(incoming.get(), -1);  // Empty means "wait", not "closed".
  SSL_set_bio(session.get(), incoming.release(), outgoing.release());
  return session;
}

absl::Status SendPending(SSL* session, TcpConnection& connection, Deadline deadline) {
  char* data = nullptr;
  BIO* const outgoing = SSL_get_wbio(session);
  const long size = BIO_get_mem_data(outgoing, &data);
  const absl::Status sent =
      size > 0 ? connection.Send(absl::string_view(data, static_cast<size_t>(size)), deadline)
               : absl::OkStatus();
  static_cast<void>(BIO_reset(outgoing));
  return sent;
}

// Repeats `step` (an SSL_* call) while it wants bytes from the peer, and feeds it with them.
//
// OK when it has succeeded. ABORTED when TLS has failed; the reason is in OpenSSL's error queue.
// CANCELLED when the peer has closed. UNAVAILABLE or DEADLINE_EXCEEDED as of TcpConnection.
template <typename Step>
absl::Status Drive(SSL* session, TcpConnection& connection, Deadline deadline, Step step) {
  std::array<char, 16384> buffer;
  while (true) {
    ERR_clear_error();
    const int result = step(session);
    const int error = SSL_get_error(session, result);
    const auto reason = ERR_peek_error();
    const absl::Status sent = SendPending(session, connection, deadline);
    if (result > 0) return absl::OkStatus();
    if (error == SSL_ERROR_ZERO_RETURN) return absl::CancelledError("closed");
    if (error != SSL_ERROR_WANT_READ) {
      return reason == 0 ? absl::CancelledError("closed") : absl::AbortedError("TLS failed");
    }
    // A peer that hung up may have said why before: read on even if sending failed.
    if (absl::IsDeadlineExceeded(sent)) return sent;
    ENTENTE_ASSIGN_OR_RETURN(const size_t got,
                             connection.Receive(absl::MakeSpan(buffer), deadline));
    if (got == 0) return absl::CancelledError("closed");
    if (BIO_write(SSL_get_rbio(session), buffer.data(), static_cast<int>(got)) !=
        static_cast<int>(got)) {
      return absl::UnavailableError("out of memory");
    }
  }
}

absl::Status ServerRefused(const Probe& probe) {
  using Kind = ChainRefusal::Kind;
  const auto says = [&probe](absl::string_view remedy) {
    return absl::UnauthenticatedError(
        absl::StrCat("the server at ", probe.target, ": ", probe.refusal.text, "; ", remedy));
  };
  switch (probe.refusal.kind) {
    case Kind::kExpired:
      return says("ask the coordinator's operator to renew it, and check this machine's clock");
    case Kind::kNotYetValid:
      return says("check this machine's clock, and the coordinator's");
    case Kind::kOtherAuthority:
      return says("get the coordinator's authority file from its operator, and check the address");
    case Kind::kOtherHost:
      return says("dial one of those, or ask the coordinator's operator to add this one");
    case Kind::kUnfit:
    case Kind::kNone:
      break;
  }
  return says("ask the coordinator's operator for a certificate made with `entente pki issue`");
}

// The server sent a TLS alert, or bytes that are not TLS; `reason` is OpenSSL's.
absl::Status HandshakeFailed(const Probe& probe, int reason) {
  const std::string ours = absl::StrCat("the coordinator at ", probe.target,
                                        " refused our certificate ", probe.own.spiffe_id, ": ");
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return absl::UnauthenticatedError(absl::StrCat(
          ours, "it does not know our authority \"", probe.own.issuer,
          "\"; ask its operator to add that authority, or use a certificate from one it knows"));
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return absl::UnauthenticatedError(
          absl::StrCat(ours, "for it, it has expired (it ends at ", TimeText(probe.own.not_after),
                       "); compare the clocks of both machines, or issue a new certificate"));
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return absl::UnauthenticatedError(absl::StrCat(
          ours, "it says \"", ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason)),
          "\"; is it valid yet by its clock, and was it made with `entente pki issue`?"));
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return absl::UnauthenticatedError(
          absl::StrCat("the coordinator at ", probe.target,
                       " got no certificate from us; check the certificate file of this program"));
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
      return absl::UnavailableError(absl::StrCat(
          probe.target, " does not speak TLS; is it the coordinator's port, not its dashboard's?"));
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return absl::UnavailableError(absl::StrCat(
          probe.target, " speaks no TLS 1.2 or 1.3; it is not an Entente coordinator"));
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
      return absl::UnavailableError(
          absl::StrCat(probe.target, " speaks TLS but not gRPC; is it the coordinator's port?"));
    default:
      return absl::UnavailableError(
          absl::StrCat("the TLS handshake with ", probe.target,
                       " failed: ", ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason))));
  }
}

// Why the handshake, or the wait for the verdict, ended with `status`.
absl::Status Explain(const Probe& probe, const absl::Status& status, bool handshake_done) {
  if (probe.refusal.kind != ChainRefusal::Kind::kNone) return ServerRefused(probe);
  if (absl::IsAborted(status)) return HandshakeFailed(probe, ERR_GET_REASON(ERR_peek_error()));
  if (handshake_done && !absl::IsDeadlineExceeded(status)) {
    // gRPC 1.51 hangs up on a certificate it does not take, without the alert TLS has for it.
    return absl::UnauthenticatedError(
        absl::StrCat("the coordinator at ", probe.target, " hung up on seeing our certificate ",
                     probe.own.spiffe_id, ", issued by \"", probe.own.issuer,
                     "\"; ask its operator whether that ",
                     "authority is among those it knows, and compare the clocks of both machines"));
  }
  if (absl::IsDeadlineExceeded(status)) {
    return absl::UnavailableError(
        absl::StrCat(probe.target,
                     " takes connections but does not answer a TLS handshake in time; is it the "
                     "coordinator's port?"));
  }
  return absl::UnavailableError(absl::StrCat(
      probe.target, " closes the connection in the TLS handshake; is it the coordinator's port?"));
}

absl::Status CheckIsHttp2(SSL* session, const std::string& target) {
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(session, &protocol, &size);
  if (absl::string_view(reinterpret_cast<const char*>(protocol), size) == "h2") {
    return absl::OkStatus();
  }
  return absl::UnavailableError(
      absl::StrCat(target, " speaks TLS but not gRPC; is it the coordinator's port?"));
}

absl::StatusOr<Probe> PrepareProbe(const std::string& target, const TlsPaths& paths) {
  PosixFileSystem files;
  ENTENTE_ASSIGN_OR_RETURN(const std::string certificate,
                           ReadTextFile(files, paths.certificate, limits::kPemBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(const std::string authority,
                           ReadTextFile(files, paths.authority, limits::kPemBytesMax));
  Probe probe;
  probe.target = target;
  ENTENTE_ASSIGN_OR_RETURN(probe.own, DescribeCertificate(certificate));
  ENTENTE_ASSIGN_OR_RETURN(const auto authorities, DescribeCertificates(authority));
  probe.authorities =
      absl::StrJoin(authorities, " or ", [](std::string* out, const CertificateDescription& known) {
        absl::StrAppend(out, "\"", known.subject, "\"");
      });
  return probe;
}

}  // namespace

absl::Status ProbeConnection(const std::string& target, const TlsPaths& paths, absl::Time now,
                             absl::Duration timeout, ProbeProgress* progress) {
  ProbeProgress unwanted;
  if (progress == nullptr) progress = &unwanted;
  *progress = {};
  const Deadline start = steady_clock::now();
  const Deadline deadline = start + absl::ToChronoNanoseconds(timeout);
  ENTENTE_ASSIGN_OR_RETURN(const HostAndPort where, ParseHostAndPort(target));
  ENTENTE_RETURN_IF_ERROR(CheckTlsFiles(paths, now));
  ENTENTE_ASSIGN_OR_RETURN(Probe probe, PrepareProbe(target, paths));
  ENTENTE_ASSIGN_OR_RETURN(const ContextPointer context, MakeContext(paths));
  ENTENTE_ASSIGN_OR_RETURN(const SessionPointer session,
                           MakeSession(context.get(), where, now, &probe));

  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TcpConnection> connection,
                           TcpConnection::Open(where, deadline));
  progress->connected = true;
  const Deadline connected = steady_clock::now();
  const absl::Status handshake = Drive(session.get(), *connection, deadline, SSL_connect);
  if (!handshake.ok()) return Explain(probe, handshake, /*handshake_done=*/false);
  ENTENTE_RETURN_IF_ERROR(CheckIsHttp2(session.get(), target));

  progress->encrypted = true;

  // The handshake took at least one round trip: on a long way, wait in proportion.
  const Deadline now_steady = steady_clock::now();
  const Deadline verdict_deadline =
      std::min(deadline, now_steady + kVerdictTime + (now_steady - connected));
  std::array<char, 64> first_frame;
  const absl::Status verdict =
      Drive(session.get(), *connection, verdict_deadline, [&first_frame](SSL* ssl) {
        return SSL_read(ssl, first_frame.data(), static_cast<int>(first_frame.size()));
      });
  // Silence is no refusal.
  if (verdict.ok() || absl::IsDeadlineExceeded(verdict)) return absl::OkStatus();
  return Explain(probe, verdict, /*handshake_done=*/true);
}

}  // namespace entente
