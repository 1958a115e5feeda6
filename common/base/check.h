// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_CHECK_H_
#define COMMON_BASE_CHECK_H_

// ENTENTE_CHECK(condition): ends the program when something only our own code can get wrong is
// wrong. Never for what a peer or a file said: that is an absl::Status.

#include <cstdio>
#include <cstdlib>

#define ENTENTE_CHECK(condition)                                                              \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      std::fprintf(stderr, "%s:%d: bug: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                           \
    }                                                                                         \
  } while (false)

#endif  // COMMON_BASE_CHECK_H_
