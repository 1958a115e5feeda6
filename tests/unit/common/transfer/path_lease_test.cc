// SPDX-License-Identifier: Apache-2.0
#include "common/transfer/path_lease.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "tests/support/status_matchers.h"

namespace entente {
namespace {

using ::testing::HasSubstr;

TEST(PathLeaseTest, SecondTakerIsTurnedAway) {
  PathLeases leases;
  ASSERT_OK_AND_ASSIGN(const PathLease lease, leases.Take("/spool/a", "update a"));

  EXPECT_THAT(leases.Take("/spool/a", "update a"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("update a is being received")));
  EXPECT_THAT(leases.Take("/spool/b", "update b"), IsOk());
}

TEST(PathLeaseTest, PathIsFreeAgainWhenTheLeaseEnds) {
  PathLeases leases;
  { ASSERT_OK_AND_ASSIGN(const PathLease lease, leases.Take("/spool/a", "update a")); }

  EXPECT_THAT(leases.Take("/spool/a", "update a"), IsOk());
}

TEST(PathLeaseTest, MovedLeaseHoldsOnce) {
  PathLeases leases;
  ASSERT_OK_AND_ASSIGN(PathLease lease, leases.Take("/spool/a", "update a"));
  std::optional<PathLease> moved(std::move(lease));

  EXPECT_THAT(leases.Take("/spool/a", "update a"), StatusIs(absl::StatusCode::kUnavailable));
  moved.reset();
  EXPECT_THAT(leases.Take("/spool/a", "update a"), IsOk());
}

TEST(PathLeaseTest, LeaseMayOutliveTheLeases) {
  std::optional<PathLeases> leases(std::in_place);
  ASSERT_OK_AND_ASSIGN(std::optional<PathLease> lease, leases->Take("/spool/a", "update a"));
  leases.reset();

  lease.reset();  // Must not touch freed memory: the sanitizers watch.

  EXPECT_FALSE(lease.has_value());
}

}  // namespace
}  // namespace entente
