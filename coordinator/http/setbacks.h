// SPDX-License-Identifier: Apache-2.0
#ifndef COORDINATOR_HTTP_SETBACKS_H_
#define COORDINATOR_HTTP_SETBACKS_H_

// The journal keeps what happened, not what it led to: that an attempt was aborted, or a job
// failed, stands in no event. This says it of the event that did it.

#include <cstdint>
#include <map>
#include <string>

#include "common/base/strong_id.h"
#include "coordinator/engine/job_directory.h"
#include "coordinator/store/journal.h"

namespace entente::dashboard {

// Looks at each job once, so make one for each answer. Not thread-safe.
class Setbacks {
 public:
  // Borrowed.
  explicit Setbacks(const engine::JobDirectory* jobs) : jobs_(*jobs) {}

  // "attempt 2 was aborted: deadline passed with 1 of 3 updates", or that the job has failed with
  // it; of a pause that did not wait for the round, "attempt 2 was broken off". Empty if the event
  // led to none of them; who cancels a job says so in the event itself.
  std::string Of(const store::JournalEntry& entry);

  // Whether the job shows what the event led to. It is journalled a moment before that; a job that
  // is not there is not waited for.
  bool IsKnown(const store::JournalEntry& entry);

 private:
  struct Setback {
    uint32_t attempt = 1;  // That was aborted.
    std::string sentence;
  };
  struct JobSetbacks {
    bool is_there = false;
    uint64_t sequence = 0;  // Of the last event that the job shows.
    std::map<uint64_t, Setback> by_sequence = {};
  };
  const JobSetbacks& OfJob(const JobId& id);

  const engine::JobDirectory& jobs_;
  std::map<JobId, JobSetbacks> of_jobs_;
};

}  // namespace entente::dashboard

#endif  // COORDINATOR_HTTP_SETBACKS_H_
