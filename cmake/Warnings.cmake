# SPDX-License-Identifier: Apache-2.0
# The warnings every target of ours compiles with. Generated and third-party code is exempt.
option(ENTENTE_ANALYZE "clang's thread-safety analysis" OFF)
# Errors for those who change the code (the presets dev, tsan and analyze), not for those who only
# build it, perhaps with a compiler that warns of more.
option(ENTENTE_WARNINGS_AS_ERRORS "Warnings stop the build" OFF)

function(entente_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Wno-sign-conversion)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With -O3, g++ 12 sees overlaps and overflows in std::string that are not there (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-stringop-overflow)
  endif()
  if(ENTENTE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(ENTENTE_ANALYZE)
    target_compile_options(${target} PRIVATE -Wthread-safety)
  endif()
endfunction()
