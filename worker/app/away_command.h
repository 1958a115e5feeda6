// SPDX-License-Identifier: Apache-2.0
#ifndef WORKER_APP_AWAY_COMMAND_H_
#define WORKER_APP_AWAY_COMMAND_H_

// `entente-worker away` and `entente-worker back`: what the lab's operator tells the worker, be it
// running or not.

#include <string>

namespace entente::worker {

struct AwayRequest {
  std::string config_path;
  std::string until;     // As ParseUntil takes it; empty: see for_time.
  std::string for_time;  // "2h"; empty too: until `back`.
  std::string reason;
};

// Both print one line and return the program's exit code. A running worker hears of it within a
// second or two.
int SayAway(const AwayRequest& request);
int SayBack(const std::string& config_path);

}  // namespace entente::worker

#endif  // WORKER_APP_AWAY_COMMAND_H_
