// SPDX-License-Identifier: Apache-2.0
#include "common/http/tls_context.h"

#include <openssl/err.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/http/http_limits.h"
#include "common/identity/certificate.h"

namespace entente::http {
namespace {

absl::Status InPemFile(const std::string& path, const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

absl::Status UseCertificate(const std::vector<CertificatePointer>& chain, EVP_PKEY* key,
                            SSL_CTX* context) {
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key) != 1) {
    return OpenSslError("the certificate cannot be used for HTTPS");
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return OpenSslError("the certificate's chain cannot be used for HTTPS");
    }
  }
  return absl::OkStatus();
}

// A browser without a certificate is welcome; one with somebody else's is not.
absl::Status AskForCertificates(const std::string& authorities_pem, SSL_CTX* context) {
  ENTENTE_ASSIGN_OR_RETURN(const std::vector<CertificatePointer> authorities,
                           ParseCertificates(authorities_pem));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  for (const CertificatePointer& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return OpenSslError("an authority cannot be used for HTTPS");
    }
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, limits::kCertificateChainMax);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsContextPointer> TlsContext::Load(const Options& options) {
  const TlsPaths& paths = options.paths;
  ENTENTE_ASSIGN_OR_RETURN(const std::string certificate,
                           ReadTextFile(*options.files, paths.certificate, limits::kPemBytesMax));
  ENTENTE_ASSIGN_OR_RETURN(const std::string key_pem,
                           ReadTextFile(*options.files, paths.private_key, limits::kPemBytesMax));
  const auto chain = ParseCertificates(certificate);
  if (!chain.ok()) return InPemFile(paths.certificate, chain.status());
  const auto key = ParsePrivateKey(key_pem);
  if (!key.ok()) return InPemFile(paths.private_key, key.status());
  if (const absl::Status fits = CheckKeyFits(certificate, key_pem); !fits.ok()) {
    return InPemFile(paths.private_key, fits);
  }
  TlsContextPointer context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return OpenSslError("TLS cannot be set up");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // A resumed session must show its certificate anew, and needs an id to be refused by.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  ENTENTE_RETURN_IF_ERROR(UseCertificate(*chain, key->get(), context.get()));
  if (!options.authorities_pem.empty()) {
    ENTENTE_RETURN_IF_ERROR(AskForCertificates(options.authorities_pem, context.get()));
  }
  return context;
}

TlsContext::TlsContext(Options options, TlsContextPointer context)
    : options_(std::move(options)), context_(std::move(context)), read_at_(options_.clock->Now()) {}

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Create(Options options) {
  ENTENTE_ASSIGN_OR_RETURN(TlsContextPointer context, Load(options));
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(options), std::move(context)));
}

absl::StatusOr<TlsPointer> TlsContext::Accept(int socket) {
  const absl::Time now = options_.clock->Now();
  bool is_due = false;
  {
    absl::MutexLock lock(&mu_);
    is_due = now >= read_at_ + limits::kHttpReloadInterval;
    if (is_due) read_at_ = now;
  }
  absl::StatusOr<TlsContextPointer> fresh = absl::UnavailableError("");
  if (is_due) fresh = Load(options_);

  absl::MutexLock lock(&mu_);
  if (fresh.ok()) context_ = *std::move(fresh);
  TlsPointer tls(SSL_new(context_.get()));  // Holds the context as long as it needs it.
  if (tls == nullptr || SSL_set_fd(tls.get(), socket) != 1) {
    return OpenSslError("TLS cannot be set up for a connection");
  }
  SSL_set_accept_state(tls.get());
  return tls;
}

std::string PeerChainOf(const SSL& tls) {
  const CertificatePointer leaf(SSL_get1_peer_certificate(&tls));
  if (leaf == nullptr) return "";
  std::string pem = CertificateToPem(*leaf);
  // On the server's side the chain is without the leaf.
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(&tls);
  for (int i = 0; i < sk_X509_num(chain); ++i) pem += CertificateToPem(*sk_X509_value(chain, i));
  return pem;
}

}  // namespace entente::http
