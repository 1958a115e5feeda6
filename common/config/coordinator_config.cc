// SPDX-License-Identifier: Apache-2.0
#include "common/config/coordinator_config.h"

#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/config/config_file.h"
#include "common/config/field_check.h"
#include "common/config/name_rules.h"
#include "common/config/notifications_config.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"

namespace entente {
namespace {

using ::entente::config::v1::CoordinatorConfig;
using ::entente::config::v1::CoordinatorLimits;
using ::entente::config::v1::MemberConfig;

// A plain number is 0 both when it was not written and when it was written as 0; only the first is
// given its default.
void FillLimits(const YamlPlaces& places, CoordinatorLimits* limits) {
  if (!places.Contains("limits.runningJobsMax")) limits->set_running_jobs_max(64);
  if (!places.Contains("limits.blobBytesMax")) limits->set_blob_bytes_max(uint64_t{64} << 30);
  if (!places.Contains("limits.workersMax")) limits->set_workers_max(1'000);
  if (!places.Contains("limits.freeBytesMin")) limits->set_free_bytes_min(uint64_t{256} << 20);
  if (!places.Contains("limits.transfersMax")) limits->set_transfers_max(256);
  if (!places.Contains("limits.transfersPerCallerMax")) {
    limits->set_transfers_per_caller_max(limits::kTransfersPerCallerMax);
  }
  if (!places.Contains("limits.transferWindowBytesMax")) {
    limits->set_transfer_window_bytes_max(limits::kUploadWindowBytes);
  }
  if (!limits->has_transfer_idle_max()) {
    *limits->mutable_transfer_idle_max() = ToProto(absl::Seconds(60));
  }
}

void FillDefaults(const YamlPlaces& places, CoordinatorConfig* config) {
  if (config->listen().empty()) config->set_listen("0.0.0.0:7443");
  for (MemberConfig& member : *config->mutable_members()) {
    if (member.display_name().empty()) member.set_display_name(member.id());
  }
  if (!config->has_heartbeat_interval()) {
    *config->mutable_heartbeat_interval() = ToProto(absl::Seconds(5));
  }
  FillLimits(places, config->mutable_limits());
  if (config->durability() == CoordinatorConfig::DURABILITY_UNSPECIFIED) {
    config->set_durability(CoordinatorConfig::DURABILITY_POWER_LOSS);
  }
  if (!config->has_drain_time()) *config->mutable_drain_time() = ToProto(absl::Seconds(10));
  FillHttp(kDefaultHttpListen, config->mutable_http());
  FillLogging(config->mutable_logging());
  if (config->has_notifications()) FillNotifications(places, config->mutable_notifications());
}

void CheckTrustDomain(const std::string& path, const std::string& domain,
                      std::set<std::string>* seen, FieldCheck* check) {
  check->Present(path, !domain.empty(), "name the SPIFFE trust domain of its certificates");
  check->Expect(path, IsTrustDomain(domain), Quoted(domain), kTrustDomainRule);
  CheckUnique(path, domain, seen, check);
}

void CheckMembers(const NamedFiles& named, CoordinatorConfig* config, FieldCheck* check) {
  check->Present("alliance", config->has_alliance(), "say who operators and submitters are");
  std::set<std::string> trust_domains;
  CheckTrustDomain("alliance.trustDomain", config->alliance().trust_domain(), &trust_domains,
                   check);
  named.RequireFile("alliance.authority", "the PEM file of the alliance's authority",
                    config->mutable_alliance()->mutable_authority(), check);
  check->Present("members", !config->members().empty(), "name at least one member");
  std::set<std::string> ids;
  for (int i = 0; i < config->members_size(); ++i) {
    MemberConfig& member = *config->mutable_members(i);
    const std::string path = absl::StrCat("members[", i, "].");
    check->Present(path + "id", !member.id().empty(), "give the member a name, such as fr-lab");
    check->Expect(path + "id", IsSlug(member.id()), Quoted(member.id()), kSlugRule);
    CheckUnique(path + "id", member.id(), &ids, check);
    check->Expect(path + "displayName", IsOneLine(member.display_name(), 100),
                  Quoted(member.display_name()), "must be one line of at most 100 characters");
    check->Present(path + "jurisdiction", !member.jurisdiction().empty(),
                   "name its country, such as FR");
    check->Expect(path + "jurisdiction", IsCountryCode(member.jurisdiction()),
                  Quoted(member.jurisdiction()), kCountryCodeRule);
    CheckTrustDomain(path + "trustDomain", member.trust_domain(), &trust_domains, check);
    named.RequireFile(path + "authority", "the PEM file of this member's authority",
                      member.mutable_authority(), check);
  }
}

void CheckNumbers(const CoordinatorConfig& config, FieldCheck* check) {
  check->Time("heartbeatInterval", ToDuration(config.heartbeat_interval()), absl::Milliseconds(100),
              absl::Minutes(5));
  check->Range("aggregationThreads", config.aggregation_threads(), 0, 256);
  const CoordinatorLimits& limits = config.limits();
  check->Range("limits.runningJobsMax", limits.running_jobs_max(), 1, 10'000);
  check->Range("limits.blobBytesMax", limits.blob_bytes_max(), 1, int64_t{1} << 50);
  check->Range("limits.workersMax", limits.workers_max(), 1, 100'000);
  check->Range("limits.transfersMax", limits.transfers_max(), 1, 10'000);
  check->Range("limits.transfersPerCallerMax", limits.transfers_per_caller_max(), 1, 10'000);
  check->Range("limits.transferWindowBytesMax", limits.transfer_window_bytes_max(),
               int64_t{64} << 10, int64_t{64} << 20);
  check->Time("limits.transferIdleMax", ToDuration(limits.transfer_idle_max()), absl::Seconds(1),
              absl::Hours(1));
  check->Time("drainTime", ToDuration(config.drain_time()), absl::ZeroDuration(),
              absl::Minutes(10));
}

}  // namespace

absl::StatusOr<CoordinatorConfig> LoadCoordinatorConfig(FileSystem& files,
                                                        const std::string& path) {
  CoordinatorConfig config;
  YamlPlaces places;
  ENTENTE_RETURN_IF_ERROR(LoadConfig(files, path, &config, &places));
  FillDefaults(places, &config);

  FieldCheck check;
  const NamedFiles named(files, path);
  check.Expect("listen", IsHostPort(config.listen(), 0), Quoted(config.listen()), kHostPortRule);
  named.Resolve(config.mutable_port_file());
  check.Present("dataDirectory", !config.data_directory().empty(),
                "name the folder for the journal, models and spool");
  named.Resolve(config.mutable_data_directory());
  check.Present("tls", config.has_tls(), "name this coordinator's certificate and key");
  named.RequireTls(/*has_authority=*/false, config.mutable_tls(), &check);
  CheckMembers(named, &config, &check);
  CheckHttp(named, /*has_authority=*/false, config.mutable_http(), &check);
  CheckNumbers(config, &check);
  if (config.has_notifications()) {
    CheckNotifications(named, config.mutable_notifications(), &check);
  }
  ENTENTE_RETURN_IF_ERROR(check.ToStatus(path, places));
  return config;
}

}  // namespace entente
