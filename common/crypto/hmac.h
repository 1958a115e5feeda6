// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CRYPTO_HMAC_H_
#define COMMON_CRYPTO_HMAC_H_

#include "absl/strings/string_view.h"
#include "common/crypto/sha256.h"

namespace entente {

// HMAC-SHA256 (RFC 2104): says that whoever has `key` has written `message`.
Digest HmacSha256(absl::string_view key, absl::string_view message);

}  // namespace entente

#endif  // COMMON_CRYPTO_HMAC_H_
