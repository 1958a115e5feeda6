// SPDX-License-Identifier: Apache-2.0
#include "coordinator/updates/space_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/transfer/incoming_file.h"

namespace entente::updates {
namespace {

// used + needed <= limit, whatever the numbers: a peer chose one of them.
bool Fits(uint64_t used, uint64_t needed, uint64_t limit) {
  return used <= limit && needed <= limit - used;
}

}  // namespace

SpaceReservation::SpaceReservation(SpaceLedger* ledger, std::string path)
    : ledger_(ledger), path_(std::move(path)) {}

SpaceReservation::SpaceReservation(SpaceReservation&& other) noexcept
    : ledger_(std::exchange(other.ledger_, nullptr)), path_(std::move(other.path_)) {}

SpaceReservation::~SpaceReservation() {
  if (ledger_ != nullptr) ledger_->Settle(path_);
}

void SpaceReservation::SetPresent(uint64_t bytes) {
  if (ledger_ != nullptr) ledger_->SetPresent(path_, bytes);
}

SpaceLedger::SpaceLedger(FileSystem* files, std::string folder, uint64_t quota_bytes)
    : files_(*files), folder_(std::move(folder)), quota_bytes_(quota_bytes) {}

void SpaceLedger::AddPresent(const std::string& path, Account account) {
  Entry entry;
  entry.account = account;
  entry.present = BytesThere(path);
  absl::MutexLock lock(&mu_);
  if (entries_.emplace(path, entry).second) Count(entry);
}

absl::StatusOr<SpaceReservation> SpaceLedger::Reserve(const Request& request) {
  // Only a part is continued; a whole file that nobody accepted is written anew, beside itself.
  uint64_t present = files_.SizeBytes(absl::StrCat(request.path, kPartSuffix)).value_or(0);
  if (present > request.total_bytes) present = 0;  // Such a part is dropped when it is opened.
  const Entry wanted{.account = request.account,
                     .is_open = true,
                     .present = present,
                     .promised = request.total_bytes - present};
  bool fits = false;
  Sums sums;
  {
    absl::MutexLock lock(&mu_);
    const auto it = entries_.find(request.path);
    const Entry before = it == entries_.end() ? Entry() : it->second;
    if (before.is_open) {
      return absl::UnavailableError(
          absl::StrCat(request.what, " is being received already; try again when that has ended"));
    }
    Discount(before);
    const uint64_t limit = wanted.account == Account::kSpool ? quota_bytes_ : kNoQuota;
    fits = Fits(sums_.all_promised, wanted.promised, kNoQuota) &&
           Fits(sums_.spool_present + sums_.spool_promised, request.total_bytes, limit);
    if (fits) {
      entries_[request.path] = wanted;
      Count(wanted);
    } else {
      Count(before);
    }
    sums = sums_;
  }
  if (!fits) return NoRoom(request, wanted.promised, sums);
  SpaceReservation reservation(this, request.path);
  // Measured after the promises were summed up: what is written in between is then counted twice,
  // never not at all.
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t free, files_.FreeBytes(folder_));
  if (wanted.promised > 0 && !Fits(sums.all_promised, request.free_bytes_min, free)) {
    sums.all_promised -= wanted.promised;
    if (wanted.account == Account::kSpool) sums.spool_promised -= wanted.promised;
    return NoRoom(request, wanted.promised, sums);
  }
  return reservation;
}

absl::Status SpaceLedger::NoRoom(const Request& request, uint64_t needed, const Sums& sums) const {
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t free, files_.FreeBytes(folder_));
  const std::string quota =
      quota_bytes_ == kNoQuota ? "has no quota"
                               : absl::StrCat("may hold ", quota_bytes_, " (limits.spoolBytesMax)");
  const std::string parts =
      sums.part_bytes == 0
          ? ""
          : absl::StrCat("parts of models, under way or cut, hold ", sums.part_bytes, "; ");
  return absl::ResourceExhaustedError(
      absl::StrCat("no room for ", request.what, " now: ", needed,
                   " bytes are needed; the spool holds ", sums.spool_present, " and ", quota, "; ",
                   parts, sums.all_promised, " are promised to uploads under way; ", free,
                   " are free on the disk and ", request.free_bytes_min,
                   " must stay free (limits.freeBytesMin, and for an update what is made of it); "
                   "try again later"));
}

void SpaceLedger::Forget(const std::string& path) {
  absl::MutexLock lock(&mu_);
  const auto it = entries_.find(path);
  if (it == entries_.end() || it->second.is_open) return;
  Discount(it->second);
  entries_.erase(it);
}

void SpaceLedger::ForgetFolder(const std::string& folder) {
  const std::string prefix = absl::StrCat(folder, "/");
  absl::MutexLock lock(&mu_);
  auto it = entries_.lower_bound(prefix);
  while (it != entries_.end() && absl::StartsWith(it->first, prefix)) {
    if (it->second.is_open) {
      ++it;
      continue;
    }
    Discount(it->second);
    it = entries_.erase(it);
  }
}

uint64_t SpaceLedger::present_bytes() const {
  absl::MutexLock lock(&mu_);
  return sums_.spool_present;
}

uint64_t SpaceLedger::promised_bytes() const {
  absl::MutexLock lock(&mu_);
  return sums_.spool_promised;
}

uint64_t SpaceLedger::part_count() const {
  absl::MutexLock lock(&mu_);
  return sums_.part_count;
}

uint64_t SpaceLedger::part_bytes() const {
  absl::MutexLock lock(&mu_);
  return sums_.part_bytes;
}

void SpaceLedger::SetPresent(const std::string& path, uint64_t bytes) {
  absl::MutexLock lock(&mu_);
  Entry& entry = entries_.at(path);
  const uint64_t total = entry.present + entry.promised;
  Discount(entry);
  entry.present = std::min(bytes, total);
  entry.promised = total - entry.present;
  Count(entry);
}

void SpaceLedger::Settle(const std::string& path) {
  absl::MutexLock lock(&mu_);
  // Under the lock, though style says no disk there: ForgetFolder skips what is open, so a look
  // from before it would bring back a file that it has seen removed.
  const uint64_t present = BytesThere(path);
  const auto it = entries_.find(path);
  const Account account = it->second.account;
  Discount(it->second);
  if (present == 0 || (account == Account::kDisk && files_.Exists(path))) {
    entries_.erase(it);
    return;
  }
  it->second = {.account = account, .is_open = false, .present = present, .promised = 0};
  Count(it->second);
}

uint64_t SpaceLedger::BytesThere(const std::string& path) const {
  for (const std::string& name : {path, absl::StrCat(path, kPartSuffix)}) {
    if (const auto bytes = files_.SizeBytes(name); bytes.ok()) return *bytes;
  }
  return 0;
}

void SpaceLedger::Count(const Entry& entry) {
  sums_.all_promised += entry.promised;
  if (entry.account == Account::kDisk) {
    ++sums_.part_count;
    sums_.part_bytes += entry.present;
    return;
  }
  sums_.spool_present += entry.present;
  sums_.spool_promised += entry.promised;
}

void SpaceLedger::Discount(const Entry& entry) {
  sums_.all_promised -= entry.promised;
  if (entry.account == Account::kDisk) {
    --sums_.part_count;
    sums_.part_bytes -= entry.present;
    return;
  }
  sums_.spool_present -= entry.present;
  sums_.spool_promised -= entry.promised;
}

}  // namespace entente::updates
