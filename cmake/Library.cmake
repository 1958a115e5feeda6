# SPDX-License-Identifier: Apache-2.0
# One folder, one library, one test binary.
#
# Most of a small file's compile time is parsing the same headers, so four sets of them are parsed once:
# std (the standard library and Abseil), wire (std, gRPC and the generated messages), and the same two
# with GoogleTest for the tests. A target names its set with PRECOMPILED; none is for targets with a set of
# their own, or with compiler flags of their own: a set fits only sources compiled with the same flags.

# entente_precompiled(NAME std HEADERS <a> "b" DEPS targets...)
function(entente_precompiled)
  cmake_parse_arguments(ARG "" "NAME" "HEADERS;DEPS" ${ARGN})
  set(source ${CMAKE_BINARY_DIR}/precompiled/${ARG_NAME}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Nothing but the headers.\n")
  add_library(entente_precompiled_${ARG_NAME} OBJECT ${source})
  target_include_directories(entente_precompiled_${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(entente_precompiled_${ARG_NAME} PRIVATE ${ARG_DEPS})
  target_precompile_headers(entente_precompiled_${ARG_NAME} PRIVATE ${ARG_HEADERS})
endfunction()

# Compiles `target` with the set `name` if there is one.
function(entente_use_precompiled target name)
  if(TARGET entente_precompiled_${name})
    target_precompile_headers(${target} REUSE_FROM entente_precompiled_${name})
  endif()
endfunction()

# entente_library(NAME common_tensor SOURCES a.cc b.cc [DEPS targets...] [PRECOMPILED std|wire|none])
# Makes the static library entente_common_tensor, alias entente::common_tensor. Includes are written
# from the repository's root: #include "common/tensor/layout.h".
function(entente_library)
  cmake_parse_arguments(ARG "" "NAME;PRECOMPILED" "SOURCES;DEPS" ${ARGN})
  add_library(entente_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(entente::${ARG_NAME} ALIAS entente_${ARG_NAME})
  target_include_directories(entente_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(entente_${ARG_NAME} PUBLIC ${ARG_DEPS})
  entente_warnings(entente_${ARG_NAME})
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED std)
  endif()
  entente_use_precompiled(entente_${ARG_NAME} ${ARG_PRECOMPILED})
endfunction()

# entente_program(NAME entente-worker SOURCES main.cc [DEPS targets...]) puts the program into bin/.
function(entente_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;DEPS" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_include_directories(${ARG_NAME} PRIVATE ${CMAKE_SOURCE_DIR})
  target_compile_definitions(${ARG_NAME} PRIVATE ENTENTE_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_DEPS})
  entente_warnings(${ARG_NAME})
endfunction()

# entente_test(NAME common_tensor_test SOURCES x_test.cc [DEPS targets...] [LABELS unit] [TIMEOUT s]
#              [PRECOMPILED std|wire|none])
function(entente_test)
  cmake_parse_arguments(ARG "" "NAME;TIMEOUT;PRECOMPILED" "SOURCES;DEPS;LABELS" ${ARGN})
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
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED std)
  endif()
  entente_use_precompiled(${ARG_NAME} test_${ARG_PRECOMPILED})
  # A test names the fields it is about; the rest keep their defaults.
  target_compile_options(${ARG_NAME} PRIVATE -Wno-missing-field-initializers)
  add_test(NAME ${ARG_NAME} COMMAND ${ARG_NAME})
  set_tests_properties(${ARG_NAME} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

set(entente_std_headers
  <algorithm> <cstdint> <functional> <map> <memory> <optional> <ostream> <set> <string> <utility> <variant>
  <vector> <nlohmann/json.hpp> <absl/status/statusor.h> <absl/strings/str_cat.h> <absl/strings/str_join.h>
  <absl/strings/str_split.h> <absl/synchronization/mutex.h> <absl/time/time.h> <absl/types/span.h>)
# entente::proto_services is made later, in proto/; CMake looks names up when it generates.
set(entente_wire_headers
  ${entente_std_headers} <grpcpp/grpcpp.h> <entente/config/v1/coordinator.pb.h> <entente/config/v1/worker.pb.h>
  <entente/v1/job_service.grpc.pb.h> <entente/v1/member_service.grpc.pb.h> <entente/v1/model_service.grpc.pb.h>
  <entente/v1/transfer_service.grpc.pb.h> <entente/v1/worker_service.grpc.pb.h>)
set(entente_std_deps absl::statusor absl::strings absl::span absl::synchronization absl::time spdlog::spdlog
                     nlohmann_json::nlohmann_json Threads::Threads)

if(NOT ENTENTE_PRECOMPILED_HEADERS)
  return()
endif()
entente_precompiled(NAME std HEADERS ${entente_std_headers} DEPS ${entente_std_deps})
if(NOT ENTENTE_TRAINER_ONLY)
  entente_precompiled(NAME wire HEADERS ${entente_wire_headers} DEPS ${entente_std_deps} entente::proto_services)
endif()
if(ENTENTE_BUILD_TESTS)
  entente_precompiled(NAME test_std HEADERS ${entente_std_headers} <gmock/gmock.h>
                      DEPS ${entente_std_deps} GTest::gmock)
  if(NOT ENTENTE_TRAINER_ONLY)
    entente_precompiled(NAME test_wire HEADERS ${entente_wire_headers} <gmock/gmock.h>
                        DEPS ${entente_std_deps} entente::proto_services GTest::gmock)
  endif()
endif()
