# SPDX-License-Identifier: Apache-2.0
entente_test(
  NAME coordinator_aggregation_run_test
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/aggregation_memory_test.cc ${CMAKE_CURRENT_LIST_DIR}/aggregation_run_test.cc
  DEPS entente::coordinator_aggregation_run entente::test_support)
