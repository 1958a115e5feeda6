// SPDX-License-Identifier: Apache-2.0
#include "common/config/logging_level.h"

namespace entente {

log::Level ToLogLevel(const config::v1::Logging& logging) {
  switch (logging.level()) {
    case config::v1::Logging::LEVEL_DEBUG:
      return log::Level::kDebug;
    case config::v1::Logging::LEVEL_WARNING:
      return log::Level::kWarning;
    case config::v1::Logging::LEVEL_ERROR:
      return log::Level::kError;
    default:
      return log::Level::kInfo;
  }
}

}  // namespace entente
