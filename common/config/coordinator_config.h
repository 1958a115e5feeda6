// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_COORDINATOR_CONFIG_H_
#define COMMON_CONFIG_COORDINATOR_CONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/base/file_system.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente {

// Where a coordinator answers browsers if its configuration does not say.
inline constexpr char kDefaultHttpListen[] = "127.0.0.1:7480";

// The coordinator's configuration: complete, with every default of coordinator.proto filled in and
// every path absolute, and checked. Nothing is created or changed.
//
// INVALID_ARGUMENT, as file:line:column: what is wrong: anything outside what coordinator.proto
// says, a certificate, key or authority that is not there. NOT_FOUND and UNAVAILABLE: the file at
// `path` cannot be read.
absl::StatusOr<config::v1::CoordinatorConfig> LoadCoordinatorConfig(FileSystem& files,
                                                                    const std::string& path);

}  // namespace entente

#endif  // COMMON_CONFIG_COORDINATOR_CONFIG_H_
