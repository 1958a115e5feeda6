// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CONFIG_PROTO_TIME_H_
#define COMMON_CONFIG_PROTO_TIME_H_

// Durations and times between protobuf, where they travel, and Abseil, where we reckon with them.
// Values outside what the other side can hold become its nearest.

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace entente {

absl::Duration ToDuration(const google::protobuf::Duration& duration);
google::protobuf::Duration ToProto(absl::Duration duration);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToProto(absl::Time time);

}  // namespace entente

#endif  // COMMON_CONFIG_PROTO_TIME_H_
