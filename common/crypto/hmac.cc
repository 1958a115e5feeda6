// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <string>

#include "common/base/check.h"

namespace entente {

Digest HmacSha256(absl::string_view key, absl::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw;
  unsigned int size = 0;
  const unsigned char* const made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                         reinterpret_cast<const unsigned char*>(message.data()),
                                         message.size(), raw.data(), &size);
  ENTENTE_CHECK(made != nullptr);
  const auto digest = Digest::FromRaw(std::string(raw.begin(), raw.begin() + size));
  ENTENTE_CHECK(digest.ok());
  return *digest;
}

}  // namespace entente
