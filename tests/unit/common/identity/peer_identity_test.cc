// SPDX-License-Identifier: Apache-2.0
#include "common/identity/peer_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

TEST(PeerIdentityTest, IdIsReadIntoItsParts) {
  ASSERT_OK_AND_ASSIGN(const PeerIdentity identity,
                       ParseSpiffeId("spiffe://fr-lab.example/worker/gpu-1"));

  EXPECT_EQ(identity.trust_domain, "fr-lab.example");
  EXPECT_EQ(identity.role, Role::kWorker);
  EXPECT_EQ(identity.name, "gpu-1");
  EXPECT_EQ(identity.expires_at, absl::InfiniteFuture());
}

TEST(PeerIdentityTest, IdIsWrittenAsItWasRead) {
  const std::string id = "spiffe://alliance.example/coordinator/main_1.a";

  ASSERT_OK_AND_ASSIGN(const PeerIdentity identity, ParseSpiffeId(id));

  EXPECT_EQ(identity.SpiffeId(), id);
}

TEST(PeerIdentityTest, EveryRoleIsReadByItsName) {
  for (const Role role :
       {Role::kCoordinator, Role::kWorker, Role::kSubmitter, Role::kOperator, Role::kObserver}) {
    ASSERT_OK_AND_ASSIGN(const Role parsed, ParseRole(RoleName(role)));
    EXPECT_EQ(parsed, role);
  }
}

TEST(PeerIdentityTest, UnknownRoleIsRefusedNamingThoseThereAre) {
  EXPECT_THAT(ParseRole("Worker"), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("coordinator, worker, submitter")));
}

TEST(PeerIdentityTest, LongestPartsAreAccepted) {
  const std::string id = "spiffe://" + std::string(253, 'a') + "/observer/" + std::string(63, 'b');

  EXPECT_THAT(ParseSpiffeId(id), IsOk());
}

struct BadId {
  std::string id;
  std::string message;
};

class BadSpiffeIdTest : public ::testing::TestWithParam<BadId> {};

TEST_P(BadSpiffeIdTest, IsRefusedSayingWhy) {
  EXPECT_THAT(ParseSpiffeId(GetParam().id),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSpiffeIdTest,
    ::testing::Values(BadId{"", "not a SPIFFE id"}, BadId{"spiffe://", "not a SPIFFE id"},
                      BadId{"https://fr.example/worker/a", "not a SPIFFE id"},
                      BadId{"SPIFFE://fr.example/worker/a", "not a SPIFFE id"},
                      BadId{"spiffe://fr.example", "not a SPIFFE id"},
                      BadId{"spiffe://fr.example/worker", "not a SPIFFE id"},
                      BadId{"spiffe://fr.example/worker/a/b", "not a SPIFFE id"},
                      BadId{"spiffe://fr.example/worker/a/", "not a SPIFFE id"},
                      BadId{"spiffe:///worker/a", "the trust domain \"\""},
                      BadId{"spiffe://FR.example/worker/a", "the trust domain \"FR.example\""},
                      BadId{"spiffe://fr.example:443/worker/a", "the trust domain"},
                      BadId{"spiffe://user@fr.example/worker/a", "the trust domain"},
                      BadId{"spiffe://" + std::string(254, 'a') + "/worker/a", "the trust domain"},
                      BadId{"spiffe://fr.example/king/a", "role \"king\" is unknown"},
                      BadId{"spiffe://fr.example/worker/", "the name \"\""},
                      BadId{"spiffe://fr.example/worker/..", "the name \"..\""},
                      BadId{"spiffe://fr.example/worker/A", "the name \"A\""},
                      BadId{"spiffe://fr.example/worker/a b", "the name"},
                      BadId{"spiffe://fr.example/worker/a?b", "the name"},
                      BadId{std::string("spiffe://fr.example/worker/a\0", 29), "\\x00"},
                      BadId{"spiffe://fr.example/worker/" + std::string(64, 'b'),
                            "is not 1 to 63"}));

}  // namespace
}  // namespace entente
