// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_TOP_TOP_FOCUS_H_
#define CLI_TOP_TOP_FOCUS_H_

// Where the reader of `entente top` is: which page, and what is chosen on it. Pure.

#include <cstddef>
#include <string>
#include <vector>

#include "cli/screen/screen.h"
#include "cli/top/top_picture.h"

namespace entente::cli {

struct TopFocus {
  enum class Page { kOverview, kJob };
  enum class Pane { kFederation, kJobs };

  Page page = Page::kOverview;
  Pane pane = Pane::kJobs;
  bool help = false;                // Over whatever page.
  bool only_job = false;            // There is one job's page and no other.
  std::string worker;               // Chosen in the federation; empty: the first.
  std::string job;                  // Chosen among the jobs, or shown; empty: the newest.
  size_t participants_skipped = 0;  // On the job's page.
};

// The rows of the federation: "member/worker", or "member" of one that has no worker.
std::vector<std::string> FederationRows(const TopPicture& picture);

// Index of the row that is chosen; 0 if that one is gone. What is chosen stays so while rows come
// and go above it.
size_t ChosenWorker(const TopPicture& picture, const TopFocus& focus);
size_t ChosenJob(const TopPicture& picture, const TopFocus& focus);

// Where the reader is after `key`. `page_rows`: how far a page key goes. kQuit and kGone are not
// its matter.
TopFocus FocusAfter(TopFocus focus, Key key, const TopPicture& picture, size_t page_rows);

}  // namespace entente::cli

#endif  // CLI_TOP_TOP_FOCUS_H_
