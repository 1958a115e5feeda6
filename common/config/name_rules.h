// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_NAME_RULES_H_
#define COMMON_CONFIG_NAME_RULES_H_

// What names may look like in recipes and configuration files. Each rule stands beside the half
// sentence that says it: FieldCheck::Expect(path, IsSlug(id), Quoted(id), kSlugRule).

#include <cstddef>

#include "absl/strings/string_view.h"

namespace entente {

// Jobs and members: 1 to 40 characters of [a-z0-9-], starting with a letter.
bool IsSlug(absl::string_view text);
inline constexpr absl::string_view kSlugRule =
    "must be 1 to 40 characters of a-z, 0-9 and -, starting with a letter";

// Data sets: 1 to 63 characters of [A-Za-z0-9._-].
bool IsDatasetName(absl::string_view text);
inline constexpr absl::string_view kDatasetNameRule =
    "must be 1 to 63 characters of A-Z, a-z, 0-9, ., _ and -";

// 1 to `characters_max` UTF-8 characters without line breaks or other control characters.
bool IsOneLine(absl::string_view text, size_t characters_max);

// A SPIFFE trust domain: 1 to 253 characters of [a-z0-9.-] (SPIFFE ID, section 2.1, and DNS's
// length).
bool IsTrustDomain(absl::string_view text);
inline constexpr absl::string_view kTrustDomainRule =
    "must be 1 to 253 characters of a-z, 0-9, . and -, such as fr-lab.example";

// An assigned code of ISO 3166-1 alpha-2.
bool IsCountryCode(absl::string_view text);
inline constexpr absl::string_view kCountryCodeRule =
    "must be a country's two capital letters (ISO 3166-1), such as FR";

// host:port with a port of at least `port_min`; the host is a name, an IPv4 address or an IPv6 one
// in brackets. Whether it exists is not looked at.
bool IsHostPort(absl::string_view text, int port_min);
inline constexpr absl::string_view kHostPortRule = "must be host:port, such as localhost:7443";

}  // namespace entente

#endif  // COMMON_CONFIG_NAME_RULES_H_
