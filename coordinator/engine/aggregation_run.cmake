# SPDX-License-Identifier: Apache-2.0
entente_library(
  NAME coordinator_aggregation_run PRECOMPILED none
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/aggregation_run.cc
  DEPS entente::common_base entente::common_codec entente::common_crypto entente::common_tensor
       entente::coordinator_aggregation entente::coordinator_models entente::coordinator_optimizer)

# The result must not depend on the machine: no fused multiply-add.
target_compile_options(entente_coordinator_aggregation_run PRIVATE -ffp-contract=off)
