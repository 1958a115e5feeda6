// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_LIMITS_H_
#define COMMON_BASE_LIMITS_H_

// Every queue, buffer, stream and message has a limit. Most stand here; one that concerns a single
// file may stand there. What an operator may want to change is in the configuration instead.

#include <cstdint>

#include "absl/time/time.h"

namespace entente::limits {

// The wire.
// Two programs understand each other if the first number is the same; of the second, neither says
// to the other what is newer than the other's. 1.1: away and back, checkpoints.
inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr uint32_t kProtocolMinor = 1;
inline constexpr uint32_t kProtocolMinorOfAway = 1;
inline constexpr uint32_t kProtocolMinorOfCheckpoints = 1;
inline constexpr int64_t kTransferChunkBytes = int64_t{1} << 20;  // 4 MiB was slower with TLS.
inline constexpr size_t kTransferChunkBytesMax = 4 << 20;         // What a peer may choose.
// Read ahead of one stream: a long link moves at most so much in a round-trip time.
inline constexpr int kDownloadWindowBytes = 16 << 20;  // A worker has one at a time.
inline constexpr int kUploadWindowBytes = 4 << 20;     // A coordinator has many; its default.
inline constexpr int kMessageBytesMax = 5 << 20;       // One chunk of 4 MiB and its frame.
inline constexpr int kTransfersPerCallerMax = 16;      // Of one certificate's name; the default.
// An upload's header comes with its stream, or a stranger holds a place for nothing.
inline constexpr absl::Duration kUploadHeaderWaitMax = absl::Seconds(5);
inline constexpr int kControlQueueMessagesMax = 256;  // To one worker, before it is cut off.
// From one worker, taken and not yet dealt with by the jobs they are for; the next is read after.
inline constexpr int kWorkerMessagesMax = 16;
// Of one member, that were refused and never attached and are remembered, for people to see: its
// authority can make as many names as it likes.
inline constexpr size_t kRefusedWorkersMax = 8;
// For new calls. A certificate is shown once a connection; one that was replaced must be seen.
inline constexpr absl::Duration kConnectionAgeMax = absl::Minutes(10);

// Texts from outside.
inline constexpr size_t kConfigBytesMax = 4 << 20;
inline constexpr size_t kYamlDepthMax = 32;
inline constexpr size_t kYamlNodesMax = 100'000;
inline constexpr size_t kReasonBytesMax = 500;
inline constexpr size_t kPemBytesMax = 1 << 20;
inline constexpr int kCertificateChainMax = 8;
inline constexpr size_t kTokenBytesMax = 128;
inline constexpr size_t kTraceparentBytesMax = 256;  // Of versions to come; today's has 55.
inline constexpr size_t kTrainerLineBytesMax = 1 << 20;

// Safetensors.
// Some 170,000 tensors, of which a reader holds a few times as much. The reference reader takes
// 100.
inline constexpr uint64_t kTensorHeaderBytesMax = uint64_t{16} << 20;
inline constexpr int kTensorRankMax = 16;
inline constexpr size_t kTensorNameBytesMax = 512;
inline constexpr size_t kOptimizerPrefixBytes = 2;  // "m/" before a tensor's name.

// Aggregation: so many contributions of the largest size cannot overflow a 64-bit sum.
inline constexpr int kUpdatesPerRoundMax = 1 << 14;

// Models described by a recipe: at four bytes each, the default limit on one file.
inline constexpr double kModelParametersMax = double(uint64_t{1} << 34);

// How often a worker may stop its task and come back to it in one attempt of a round, since the
// coordinator's last start; then its task has failed.
inline constexpr int kTaskStopsMax = 32;

// So many starts of the coordinator are noted in a job's journal while the same tasks are out: one
// that ends and is started again every second must not fill the disk.
inline constexpr int kStartsNotedMax = 64;

// Workers that are away and that a round lacks: for so long since it was planned it waits for them,
// and so many of its attempts that were broken off are not counted. Then they count as if the
// workers were gone, so that a round ends.
inline constexpr absl::Duration kAbsenceWaitMax = absl::Hours(31 * 24);
inline constexpr uint32_t kAttemptsBrokenOffMax = 16;
// Who did not say until when is expected after so long, again and again: each time is journalled.
inline constexpr absl::Duration kAbsenceUnsaid = absl::Minutes(10);

// Workers.
inline constexpr size_t kWorkerTasksMax = 64;          // Jobs a worker is in at once.
inline constexpr size_t kWorkerTasksToForgetMax = 64;  // Replaced while another one runs.
inline constexpr size_t kWorkerKeptUpdatesMax = 64;    // Finished updates kept on disk.
inline constexpr size_t kWorkerResidualJobsMax = 16;   // Jobs whose residuals are kept on disk.
inline constexpr size_t kWorkerModelJobsMax = 64;      // Jobs whose newest model is known.
inline constexpr size_t kWorkerCheckpointsMax = 4;     // Trainings that were broken off.
// A download that would leave less is not begun: what is made of it needs room, too.
inline constexpr uint64_t kWorkerFreeBytesMin = uint64_t{64} << 20;
inline constexpr size_t kTrainerErrorLineBytesMax =
    4 << 10;  // Of its standard error; the rest is cut.

// Notifications, for each of webhook and command.
inline constexpr size_t kNotificationsWaitingMax = 256;  // Beyond it the oldest is dropped.
inline constexpr size_t kNotificationAnswerBytesMax =
    64 << 10;  // Of a receiver; the rest is not read.
inline constexpr size_t kNotificationSecretBytesMin = 24;
inline constexpr size_t kNotificationSecretBytesMax = 64;

// A coordinator whose journal refused an event is not ready for so long, or until the journal takes
// one: whoever still has something to write has tried again by then.
inline constexpr absl::Duration kJournalFailureAgeMax = absl::Minutes(1);

// Parts of models that cut uploads left at a coordinator: since the last write, and how many.
inline constexpr absl::Duration kModelPartAgeMax = absl::Hours(24);
inline constexpr size_t kModelPartsMax = 1024;

// Retries.
inline constexpr absl::Duration kBackoffFirst = absl::Milliseconds(250);
inline constexpr absl::Duration kBackoffMax = absl::Seconds(30);
// A worker's control stream that lasted less may have been closed on purpose: the next pause is
// longer.
inline constexpr absl::Duration kStreamStableTime = absl::Seconds(5);
// An aggregation whose disk failed: pauses of 1, 2, 4, 8 and 16 seconds, and then of 16 each.
inline constexpr absl::Duration kAggregationRetryPause = absl::Seconds(1);
inline constexpr int kAggregationPauseDoublingsMax = 4;
// That end with an error of the device. For room it is tried until there is some.
inline constexpr int kAggregationTriesMax = 6;
// An event that the journal did not take and that nobody says a second time.
inline constexpr absl::Duration kJournalRetryPause = absl::Seconds(1);
// Of one worker in an attempt, that are asked for again after they were accepted and lost.
inline constexpr uint32_t kUpdateLossesMax = 3;

}  // namespace entente::limits

#endif  // COMMON_BASE_LIMITS_H_
