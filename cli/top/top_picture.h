// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TOP_TOP_PICTURE_H_
#define CLI_TOP_TOP_PICTURE_H_

// What `entente top` knows of a federation at one moment. top_feed.h fills it, top_view.h shows it.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "entente/v1/job.pb.h"
#include "entente/v1/member.pb.h"

namespace entente::cli {

struct TopJob {
  v1::Job job;
  std::vector<v1::Round> committed;  // As far as they were fetched, without participants.
};

struct TopPicture {
  std::string coordinator;  // Its address.
  std::vector<v1::Member> members;
  std::vector<TopJob> jobs;  // Newest first; at most kTopJobsMax.
  size_t jobs_left_out = 0;  // Older ones.
  absl::Time now;
  std::string note;  // What is wrong with the connection, in one sentence; empty if nothing is.
};

// More than anybody scrolls through; `entente job list` has them all.
inline constexpr size_t kTopJobsMax = 200;

// The job with that id; null if there is none (any more).
inline const TopJob* FindJob(const TopPicture& picture, const std::string& job_id) {
  for (const TopJob& job : picture.jobs) {
    if (job.job.id() == job_id) return &job;
  }
  return nullptr;
}

}  // namespace entente::cli

#endif  // CLI_TOP_TOP_PICTURE_H_
