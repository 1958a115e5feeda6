// SPDX-License-Identifier: Apache-2.0
#include "common/config/name_rules.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace entente {
namespace {

// Every assigned code, each followed by a blank.
constexpr absl::string_view kCountryCodes =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC "
    "EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK "
    "HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB "
    "LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU "
    "RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN "
    "TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";

bool IsLowerOrDigit(unsigned char c) { return absl::ascii_islower(c) || absl::ascii_isdigit(c); }

bool ConsistsOf(absl::string_view text, size_t size_max, bool (*allowed)(unsigned char)) {
  return !text.empty() && text.size() <= size_max && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

bool IsSlug(absl::string_view text) {
  return ConsistsOf(text, 40, [](unsigned char c) { return IsLowerOrDigit(c) || c == '-'; }) &&
         absl::ascii_islower(static_cast<unsigned char>(text[0]));
}

bool IsDatasetName(absl::string_view text) {
  return ConsistsOf(text, 63, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsOneLine(absl::string_view text, size_t characters_max) {
  size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_iscntrl(byte)) return false;
    if ((byte & 0xC0) != 0x80) ++characters;  // Not one of a character's later bytes.
  }
  return characters >= 1 && characters <= characters_max;
}

bool IsTrustDomain(absl::string_view text) {
  return ConsistsOf(text, 253,
                    [](unsigned char c) { return IsLowerOrDigit(c) || c == '.' || c == '-'; });
}

bool IsCountryCode(absl::string_view text) {
  return text.size() == 2 && text.find(' ') == text.npos &&
         kCountryCodes.find(text) != kCountryCodes.npos;
}

bool IsHostPort(absl::string_view text, int port_min) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return false;
  const absl::string_view digits = text.substr(colon + 1);
  int port = 0;
  if (!ConsistsOf(digits, 5, [](unsigned char c) { return absl::ascii_isdigit(c); }) ||
      !absl::SimpleAtoi(digits, &port) || port < port_min || port > 65'535) {
    return false;
  }
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && ConsistsOf(host, 45, [](unsigned char c) {
             return absl::ascii_isxdigit(c) || c == ':' || c == '.';
           });
  }
  return ConsistsOf(host, 253, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

}  // namespace entente
