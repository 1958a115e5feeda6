// SPDX-License-Identifier: Apache-2.0
#include "common/config/worker_config.h"

#include <cstdint>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/status_macros.h"
#include "common/config/common_checks.h"
#include "common/config/config_file.h"
#include "common/config/field_check.h"
#include "common/config/name_rules.h"
#include "common/config/proto_time.h"
#include "common/config/quoted.h"

namespace entente {
namespace {

using ::entente::config::v1::Dataset;
using ::entente::config::v1::Trainer;
using ::entente::config::v1::WorkerConfig;

constexpr uint64_t kMebibyte = uint64_t{1} << 20;
constexpr uint64_t kGibibyte = uint64_t{1} << 30;

void FillDefaults(const YamlPlaces& places, WorkerConfig* config) {
  Trainer& trainer = *config->mutable_trainer();
  if (trainer.command().empty()) trainer.add_command("entente-trainer");
  if (trainer.sandbox() == Trainer::SANDBOX_UNSPECIFIED) {
    trainer.set_sandbox(Trainer::SANDBOX_BUBBLEWRAP);
  }
  if (trainer.device() == Trainer::DEVICE_UNSPECIFIED) trainer.set_device(Trainer::DEVICE_AUTO);
  // A 0 that was written is not a default but a mistake.
  if (!places.Contains("trainer.threads")) trainer.set_threads(1);
  if (!trainer.has_silence_max()) *trainer.mutable_silence_max() = ToProto(absl::Seconds(60));
  if (!places.Contains("cacheBytesMax")) config->set_cache_bytes_max(20 * kGibibyte);
  if (!config->has_drain_time()) *config->mutable_drain_time() = ToProto(absl::Seconds(5));
  // Several workers may run on one machine.
  FillHttp("off", config->mutable_http());
  FillLogging(config->mutable_logging());
}

void CheckDatasets(const NamedFiles& named, WorkerConfig* config, FieldCheck* check) {
  check->Present("datasets", !config->datasets().empty(), "offer at least one data set");
  std::set<std::string> names;
  for (int i = 0; i < config->datasets_size(); ++i) {
    Dataset& dataset = *config->mutable_datasets(i);
    const std::string path = absl::StrCat("datasets[", i, "].");
    check->Present(path + "name", !dataset.name().empty(), "give the name recipes ask for");
    check->Expect(path + "name", IsDatasetName(dataset.name()), Quoted(dataset.name()),
                  kDatasetNameRule);
    CheckUnique(path + "name", dataset.name(), &names, check);
    check->Present(path + "format", dataset.format() != Dataset::FORMAT_UNSPECIFIED,
                   "it is idx, csv or safetensors");
    named.RequireFilledFolder(path + "directory", "the folder of the data set's files",
                              dataset.mutable_directory(), check);
  }
}

void CheckTrainer(const NamedFiles& named, Trainer* trainer, FieldCheck* check) {
  std::string* program = trainer->mutable_command(0);
  check->Present("trainer.command[0]", !program->empty(), "name the trainer's program");
  if (absl::StrContains(*program, "/")) {
    named.RequireFile("trainer.command[0]", "the trainer's program", program, check);
  }
  check->Range("trainer.threads", trainer->threads(), 1, 256);
  for (int i = 0; i < trainer->read_only_paths_size(); ++i) {
    named.RequireFile(absl::StrCat("trainer.readOnlyPaths[", i, "]"),
                      "a path for the trainer to read", trainer->mutable_read_only_paths(i), check);
  }
  for (int i = 0; i < trainer->devices_size(); ++i) {
    const std::string& device = trainer->devices(i);
    const bool is_device = absl::StartsWith(device, "/dev/") && !absl::StrContains(device, "..");
    check->Expect(absl::StrCat("trainer.devices[", i, "]"), is_device, Quoted(device),
                  "must be a device, such as /dev/nvidia0");
  }
  check->Time("trainer.silenceMax", ToDuration(trainer->silence_max()), absl::Seconds(1),
              absl::Hours(1));
}

void CheckBandwidth(const config::v1::Bandwidth& bandwidth, FieldCheck* check) {
  // Slower, a single chunk would take longer than the coordinator waits for a sign of life.
  constexpr uint64_t kBytesMin = uint64_t{64} << 10;
  constexpr char kRule[] = "must be 0 (no limit) or at least 64 KiB a second";
  const uint64_t up = bandwidth.upload_bytes_max();
  const uint64_t down = bandwidth.download_bytes_max();
  check->Expect("bandwidth.uploadBytesMax", up == 0 || up >= kBytesMin, WithCommas(up), kRule);
  check->Expect("bandwidth.downloadBytesMax", down == 0 || down >= kBytesMin, WithCommas(down),
                kRule);
}

}  // namespace

absl::StatusOr<WorkerConfig> LoadWorkerConfig(FileSystem& files, const std::string& path) {
  WorkerConfig config;
  YamlPlaces places;
  ENTENTE_RETURN_IF_ERROR(LoadConfig(files, path, &config, &places));
  FillDefaults(places, &config);

  FieldCheck check;
  const NamedFiles named(files, path);
  check.Present("coordinator", !config.coordinator().empty(), "give its host:port");
  check.Expect("coordinator", IsHostPort(config.coordinator(), 1), Quoted(config.coordinator()),
               kHostPortRule);
  check.Present("tls", config.has_tls(), "name this worker's certificate, key and authority");
  named.RequireTls(/*has_authority=*/true, config.mutable_tls(), &check);
  check.Present("workDirectory", !config.work_directory().empty(),
                "name the folder for downloaded models and work in progress");
  named.Resolve(config.mutable_work_directory());
  CheckDatasets(named, &config, &check);
  CheckTrainer(named, config.mutable_trainer(), &check);
  named.RequireFile("policy", "the file with this site's local policy", config.mutable_policy(),
                    &check);
  check.Expect("cacheBytesMax", config.cache_bytes_max() >= kMebibyte,
               WithCommas(config.cache_bytes_max()), "must be at least 1 MiB");
  CheckBandwidth(config.bandwidth(), &check);
  CheckHttp(named, /*has_authority=*/true, config.mutable_http(), &check);
  check.Time("drainTime", ToDuration(config.drain_time()), absl::ZeroDuration(), absl::Minutes(10));
  ENTENTE_RETURN_IF_ERROR(check.ToStatus(path, places));
  return config;
}

}  // namespace entente
