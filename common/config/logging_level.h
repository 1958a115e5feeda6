// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_LOGGING_LEVEL_H_
#define COMMON_CONFIG_LOGGING_LEVEL_H_

// How much a program logs, from its configuration file to its log.

#include "common/base/log.h"
#include "entente/config/v1/common.pb.h"

namespace entente {

// Info if the file does not say.
log::Level ToLogLevel(const config::v1::Logging& logging);

}  // namespace entente

#endif  // COMMON_CONFIG_LOGGING_LEVEL_H_
