// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/grpc_words.h"

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace entente {
namespace {

constexpr absl::string_view kOwnWords[] = {"failed to connect to all addresses",
                                           "Socket closed",
                                           "Stream removed",
                                           "RST_STREAM",
                                           "GOAWAY",
                                           "Connection reset",
                                           "Broken pipe",
                                           "keepalive",
                                           "Endpoint read failed",
                                           "Cancelling all calls",
                                           "recvmsg",
                                           "Transport closed",
                                           "DNS resolution failed",
                                           "Connection dropped"};

struct Translation {
  absl::string_view word;
  absl::string_view sentence;
};

// The first one that fits counts.
constexpr Translation kTranslations[] = {
    {"DNS resolution failed",
     "the coordinator's name does not resolve; check its spelling and this machine's DNS"},
    {"Connection refused",
     "nobody takes connections at the coordinator's address; is it running there, and is the port "
     "right?"},
    {"andshake failed",
     "the TLS handshake with the coordinator failed; \"entente doctor\" says which certificate is "
     "at fault"},
    {"timed out",
     "the coordinator does not answer in time; a firewall on the way may drop connections to it"},
    {"imeout",
     "the coordinator does not answer in time; a firewall on the way may drop connections to it"},
    {"No route to host",
     "there is no way to the coordinator's machine; check this machine's network"},
    {"unreachable", "there is no way to the coordinator's machine; check this machine's network"},
    {"failed to connect to all addresses",
     "the coordinator cannot be reached; \"entente doctor\" says why"},
};

}  // namespace

bool IsGrpcsOwnSentence(absl::string_view message) {
  return absl::c_any_of(kOwnWords,
                        [&](absl::string_view word) { return absl::StrContains(message, word); });
}

std::string InPlainWords(absl::string_view message) {
  if (!IsGrpcsOwnSentence(message)) return std::string(message);
  absl::string_view sentence = "the connection to the coordinator was lost";
  for (const Translation& translation : kTranslations) {
    if (!absl::StrContains(message, translation.word)) continue;
    sentence = translation.sentence;
    break;
  }
  return absl::StrCat(sentence, " (gRPC says: ", message, ")");
}

}  // namespace entente
