// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/peer_certificate.h"

#include <grpc/grpc_security_constants.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace entente {
namespace {

absl::string_view FirstProperty(const grpc::AuthContext& context, const char* name) {
  const std::vector<grpc::string_ref> values = context.FindPropertyValues(name);
  return values.empty() ? absl::string_view()
                        : absl::string_view(values.front().data(), values.front().size());
}

}  // namespace

std::string PeerChainPem(const grpc::ServerContextBase& context) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr) return "";
  const absl::string_view leaf = FirstProperty(*auth, GRPC_X509_PEM_CERT_PROPERTY_NAME);
  const absl::string_view chain = FirstProperty(*auth, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME);
  // With OpenSSL a server's view of the chain lacks the leaf: SSL_get_peer_cert_chain(3).
  return absl::StartsWith(chain, leaf) ? std::string(chain) : absl::StrCat(leaf, chain);
}

}  // namespace entente
