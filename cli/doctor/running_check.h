// SPDX-License-Identifier: Apache-2.0
#ifndef CLI_DOCTOR_RUNNING_CHECK_H_
#define CLI_DOCTOR_RUNNING_CHECK_H_

// Whether the program that is examined runs on this machine.

#include <string>

#include "absl/strings/string_view.h"
#include "cli/doctor/examination.h"
#include "common/base/file_system.h"

namespace entente::cli {

// Whether entente-<program>, "worker" or "coordinator", holds the lock of its data, `lock_path`,
// and as which process. One line; warned about if it does not, or it cannot be known. Who runs is
// not disturbed; who starts in that very moment may find the lock taken, and has to start again.
void CheckRunning(FileSystem& files, const std::string& lock_path, absl::string_view program,
                  const std::string& config_path, Examination* examination);

}  // namespace entente::cli

#endif  // CLI_DOCTOR_RUNNING_CHECK_H_
