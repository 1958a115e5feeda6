// SPDX-License-Identifier: Apache-2.0
// entente top: members, workers and jobs on the whole screen, live; with --once printed.

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands/commands.h"
#include "cli/top/top_feed.h"
#include "cli/top/top_loop.h"
#include "cli/top/top_view.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"

namespace entente::cli {
namespace {

// As wide as a line must be for everything; a file has no edge.
constexpr size_t kPrintedWidth = 200;

absl::StatusOr<std::unique_ptr<TopFeed>> MakeFeed(const Invocation& invocation) {
  ENTENTE_ASSIGN_OR_RETURN(const ConnectionTarget target, invocation.Target());
  return TopFeed::Create(target, invocation.timeout, /*only_job=*/"",
                         {.clock = invocation.surroundings.clock,
                          .interruption = invocation.surroundings.interruption});
}

absl::StatusOr<ExitCode> PrintTop(const Invocation& invocation) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TopFeed> feed, MakeFeed(invocation));
  ENTENTE_RETURN_IF_ERROR(feed->FetchOnce());
  TopPicture picture = feed->Picture();
  picture.now = invocation.Now();
  nlohmann::ordered_json json;
  json["members"] = nlohmann::ordered_json::array();
  for (const v1::Member& member : picture.members) json["members"].push_back(ProtoToJson(member));
  json["jobs"] = nlohmann::ordered_json::array();
  for (const TopJob& job : picture.jobs) json["jobs"].push_back(ProtoToJson(job.job));
  const Terminal* const terminal = invocation.surroundings.terminal;
  const size_t width = terminal == nullptr ? kPrintedWidth : terminal->size().width;
  invocation.output().Print(json,
                            absl::StrCat(absl::StrJoin(TopReport(picture, width), "\n"), "\n"));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> RunTop(const Invocation& invocation, bool once) {
  if (once) return PrintTop(invocation);
  if (!invocation.output().is_for_people()) {
    return absl::InvalidArgumentError(
        "\"entente top\" draws for people; \"entente top --once\" prints it with -o json or yaml");
  }
  if (invocation.surroundings.open_screen == nullptr) {
    return absl::InvalidArgumentError(
        "\"entente top\" wants a terminal to draw on and to read keys from; \"entente top --once\" "
        "prints it once");
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<TopFeed> feed, MakeFeed(invocation));
  ENTENTE_RETURN_IF_ERROR(feed->FetchOnce());
  absl::StatusOr<std::unique_ptr<Screen>> screen = invocation.surroundings.open_screen();
  if (!screen.ok()) {
    return absl::Status(
        screen.status().code(),
        absl::StrCat(screen.status().message(), "; \"entente top --once\" prints it once"));
  }
  feed->Start();
  const TopEnd end = ShowTop(invocation, **screen, *feed, {});
  screen->reset();
  if (end == TopEnd::kInterrupted) return absl::CancelledError("interrupted");
  return ExitCode::kOk;
}

}  // namespace

void AddTop(CLI::App& app, Invocation& invocation) {
  const auto once = std::make_shared<bool>(false);
  Verb verb =
      AddVerb(app, "top", "Members, workers and jobs on the whole screen, live; ? shows the keys",
              invocation, [&invocation, once] { return RunTop(invocation, *once); });
  verb.Flag("--once", *once, "Print it once instead, for a file or a pipe");
}

}  // namespace entente::cli
