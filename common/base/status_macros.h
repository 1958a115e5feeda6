// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_STATUS_MACROS_H_
#define COMMON_BASE_STATUS_MACROS_H_

// Early return on errors, for functions that return absl::Status or absl::StatusOr.
//
//   ENTENTE_RETURN_IF_ERROR(file->Sync());
//   ENTENTE_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(text));

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define ENTENTE_RETURN_IF_ERROR(expression)                                 \
  do {                                                                      \
    if (absl::Status entente_status = (expression); !entente_status.ok()) { \
      return entente_status;                                                \
    }                                                                       \
  } while (false)

#define ENTENTE_CONCAT_INNER(a, b) a##b
#define ENTENTE_CONCAT(a, b) ENTENTE_CONCAT_INNER(a, b)

#define ENTENTE_ASSIGN_OR_RETURN(lhs, expression) \
  ENTENTE_ASSIGN_OR_RETURN_INNER(ENTENTE_CONCAT(entente_status_or_, __LINE__), lhs, expression)

#define ENTENTE_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) return std::move(result).status();          \
  lhs = *std::move(result)

#endif  // COMMON_BASE_STATUS_MACROS_H_
