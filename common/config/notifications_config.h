// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_NOTIFICATIONS_CONFIG_H_
#define COMMON_CONFIG_NOTIFICATIONS_CONFIG_H_

// The section `notifications` of the coordinator's configuration.

#include "common/config/common_checks.h"
#include "common/config/field_check.h"
#include "common/config/yaml_to_proto.h"
#include "entente/config/v1/coordinator.pb.h"

namespace entente {

// Every default of coordinator.proto, in what is there: a webhook or a command that was not written
// is not made.
void FillNotifications(const YamlPlaces& places, config::v1::Notifications* notifications);

// Makes paths absolute and notes the first mistake.
void CheckNotifications(const NamedFiles& named, config::v1::Notifications* notifications,
                        FieldCheck* check);

}  // namespace entente

#endif  // COMMON_CONFIG_NOTIFICATIONS_CONFIG_H_
