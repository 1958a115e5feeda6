// SPDX-License-Identifier: Apache-2.0
// entente version: this program's version and, if it answers within two seconds, the coordinator's.

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/text_layout.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/proto_to_json.h"

namespace entente::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(2);

absl::StatusOr<v1::GetVersionResponse> AskCoordinator(const Invocation& invocation) {
  Invocation hurried = invocation;
  hurried.timeout = std::min(invocation.timeout, kPatience);
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, hurried.Connect());
  return client->GetVersion();
}

std::string CoordinatorText(const absl::StatusOr<v1::GetVersionResponse>& response) {
  if (!response.ok()) return absl::StrCat("unknown: ", response.status().message());
  return absl::StrCat(response->version(), ", protocol ", response->protocol_version(), ".",
                      response->protocol_minor(), ", takes us for ", response->caller());
}

absl::StatusOr<ExitCode> RunVersion(const Invocation& invocation) {
  const std::string& version = invocation.surroundings.version;
  const absl::StatusOr<v1::GetVersionResponse> response = AskCoordinator(invocation);
  ENTENTE_RETURN_IF_ERROR(invocation.surroundings.interruption->Check());
  nlohmann::ordered_json json;
  json["client"]["version"] = version;
  json["client"]["protocolVersion"] = limits::kProtocolVersion;
  json["client"]["protocolMinor"] = limits::kProtocolMinor;
  if (response.ok()) {
    json["coordinator"] = ProtoToJson(*response);
  } else {
    json["coordinator"]["error"] = std::string(response.status().message());
  }
  invocation.output().Print(
      json, Fields({{"client", absl::StrCat(version, ", protocol ", limits::kProtocolVersion, ".",
                                            limits::kProtocolMinor)},
                    {"coordinator", CoordinatorText(response)}}));
  return ExitCode::kOk;
}

}  // namespace

void AddVersion(CLI::App& app, Invocation& invocation) {
  AddVerb(app, "version", "Versions of this program and of the coordinator", invocation,
          [&invocation] { return RunVersion(invocation); });
}

}  // namespace entente::cli
