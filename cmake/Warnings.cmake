# SPDX-License-Identifier: Apache-2.0
# The warnings every target of ours compiles with. Generated and third-party code is exempt.
option(ENTENTE_ANALYZE "clang's thread-safety analysis, as errors" OFF)

function(entente_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion -Werror)
  if(ENTENTE_ANALYZE)
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
endfunction()
