// SPDX-License-Identifier: Apache-2.0
#include "common/rpc/grpc_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace entente {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

TEST(GrpcWordsTest, WhatIsKnownOfAFailureIsSaidWithWhatToDo) {
  const std::string failed =
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7443: ";
  for (const auto& [words, sentence] : std::vector<std::pair<std::string, std::string>>{
           {absl::StrCat(failed, "Failed to connect to remote host: Connection refused"),
            "nobody takes connections at the coordinator's address; is it running there"},
           {absl::StrCat(failed, "Failed to connect to remote host: Connection timed out"),
            "the coordinator does not answer in time; a firewall"},
           {absl::StrCat(failed, "Failed to connect to remote host: Timeout occurred: FD Shutdown"),
            "the coordinator does not answer in time; a firewall"},
           {absl::StrCat(failed, "Failed to connect to remote host: No route to host"),
            "there is no way to the coordinator's machine; check"},
           {absl::StrCat(failed,
                         "Ssl handshake failed: SSL_ERROR_SSL: error:1000007d:SSL routines:",
                         "OPENSSL_internal:CERTIFICATE_VERIFY_FAILED"),
            "the TLS handshake with the coordinator failed; \"entente doctor\" says"},
           {absl::StrCat(failed, "something else"), "the coordinator cannot be reached; "},
           {"DNS resolution failed for nowhere.example:7443: C-ares status is not ARES_SUCCESS",
            "the coordinator's name does not resolve; check its spelling"},
           {"Socket closed", "the connection to the coordinator was lost"},
           {"Received RST_STREAM with error code 2", "the connection to the coordinator was lost"},
       }) {
    EXPECT_THAT(InPlainWords(words), StartsWith(sentence));
    EXPECT_THAT(InPlainWords(words), EndsWith(absl::StrCat(" (gRPC says: ", words, ")")));
  }
}

TEST(GrpcWordsTest, SentencesOfACoordinatorStayAsTheyAre) {
  for (const std::string sentence :
       {"", "the round is closed", "it answered none of 3 heartbeats, 1s apart"}) {
    EXPECT_FALSE(IsGrpcsOwnSentence(sentence));
    EXPECT_EQ(InPlainWords(sentence), sentence);
  }
}

}  // namespace
}  // namespace entente
