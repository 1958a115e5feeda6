// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/lease_book.h"

#include <gmock/gmock.h>

namespace entente::engine {
namespace {

using ::testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
const WorkerId kFr("fr-lab/w");
const WorkerId kKr("kr-lab/w");

TEST(LeaseBookTest, EmptyBookNeverExpires) {
  EXPECT_EQ(LeaseBook().NextExpiry(), absl::InfiniteFuture());
}

TEST(LeaseBookTest, ExpiredLeasesAreTakenOnce) {
  LeaseBook book;
  book.Renew(kFr, kStart + absl::Seconds(1));
  book.Renew(kKr, kStart + absl::Seconds(9));

  EXPECT_EQ(book.NextExpiry(), kStart + absl::Seconds(1));
  EXPECT_THAT(book.TakeExpired(kStart + absl::Seconds(2)), ElementsAre(kFr));
  EXPECT_TRUE(book.TakeExpired(kStart + absl::Seconds(2)).empty());
  EXPECT_EQ(book.NextExpiry(), kStart + absl::Seconds(9));
}

TEST(LeaseBookTest, RenewalProlongs) {
  LeaseBook book;
  book.Renew(kFr, kStart);
  book.Renew(kFr, kStart + absl::Seconds(5));

  EXPECT_TRUE(book.TakeExpired(kStart).empty());
}

TEST(LeaseBookTest, EndedLeaseDoesNotExpire) {
  LeaseBook book;
  book.Renew(kFr, kStart);
  book.End(kFr);
  book.Renew(kKr, kStart);
  EXPECT_FALSE(book.Holds(kFr));
  EXPECT_TRUE(book.Holds(kKr));
  book.EndAll();

  EXPECT_TRUE(book.TakeExpired(kStart).empty());
}

}  // namespace
}  // namespace entente::engine
