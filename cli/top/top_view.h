// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TOP_TOP_VIEW_H_
#define CLI_TOP_TOP_VIEW_H_

// The frames of `entente top` as lines of styled text: pure, so that they can be tested.
//
//   entente top  coordinator.alliance.example:7443                      2026-03-01 12:00:41Z
//
//   FEDERATION  3 members, 1 of 2 workers connected
//     FR  fr-lab/gpu-1  connected       training fashion-mnist-k3x9qa round 3 ██████░░░░ 120/200
//     KR  kr-lab/gpu-1  gone 12 s       no heartbeat for 3 s
//     JP  jp-lab        no worker yet
//
//   JOBS  1 running, 1 in all
//   > fashion-mnist-k3x9qa  running    3/12  2 min 03 s left   0.6123 █▅▂▁        78.2 % ▁▄▆█
//
//   ↑↓ choose  Enter open  Tab federation or jobs  ? help  q quit
//
// What a job waits for is the row's last column where there is room for it, and on the job's page.

#include <cstddef>
#include <string>
#include <vector>

#include "cli/top/top_focus.h"
#include "cli/top/top_picture.h"

namespace entente::cli {

struct TopViewOptions {
  size_t width = 80;
  size_t height = 24;
  bool colour = false;
};

// At most `options.height` lines of at most `options.width` columns. What is chosen is always among
// them.
std::vector<std::string> TopLines(const TopPicture& picture, const TopFocus& focus,
                                  const TopViewOptions& options);

// Everything there is, for `top --once`: no line is left out, nothing is chosen.
std::vector<std::string> TopReport(const TopPicture& picture, size_t width);

}  // namespace entente::cli

#endif  // CLI_TOP_TOP_VIEW_H_
