# SPDX-License-Identifier: Apache-2.0
# One folder, one library, one test binary.
#
# The presets compile a folder's sources together (CMake's unity build), so that the headers they
# share are parsed once a folder instead of once a file; see docs/adr/0014.

# entente_library(NAME common_tensor SOURCES a.cc b.cc [DEPS targets...])
# Makes the static library entente_common_tensor, alias entente::common_tensor. Includes are written
# from the repository's root: #include "common/tensor/layout.h".
function(entente_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_library(entente_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(entente::${ARG_NAME} ALIAS entente_${ARG_NAME})
  target_include_directories(entente_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(entente_${ARG_NAME} PUBLIC ${ARG_DEPS})
  entente_warnings(entente_${ARG_NAME})
endfunction()

# entente_program(NAME entente-worker SOURCES main.cc [DEPS targets...]) puts the program into bin/.
function(entente_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE ENTENTE_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
  entente_warnings(${ARG_NAME})
  if(TARGET entente_tsan)
    target_link_libraries(${ARG_NAME} PRIVATE entente_tsan)
  endif()
endfunction()

# entente_test(NAME common_tensor_test SOURCES x_test.cc [DEPS targets...] [LABELS unit] [TIMEOUT s])
function(entente_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE ENTENTE_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                 ENTENTE_BINARY_DIR="${CMAKE_BINARY_DIR}/bin")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  entente_warnings(${ARG_NAME})
  # What is tested is sanitized, the test is not: that would be most of a build's time. Not so with
  # ThreadSanitizer, which must see every access.
  if(ENTENTE_SANITIZE MATCHES "address")
    target_compile_options(${ARG_NAME} PRIVATE -O0 -fno-sanitize=all)
  endif()
  # A test names the fields it is about; the rest keep their defaults.
  target_compile_options(${ARG_NAME} PRIVATE -Wno-missing-field-initializers)
  if(TARGET entente_tsan)
    target_link_libraries(${ARG_NAME} PRIVATE entente_tsan)
  endif()
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
                                              ENVIRONMENT "${entente_test_environment}")
endfunction()
