#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds with AddressSanitizer and UndefinedBehaviorSanitizer, and runs the unit,
# scenario, golden, tidy and integration tests; ends in ctest's summary. No input, no arguments. On two cores
# from a clean clone this takes more than 20 minutes, nearly all of it compiling.
#
# Beside it, by hand: `cmake --preset analyze && cmake --build --preset analyze` (clang's thread-safety
# analysis), tests/system/*.sh (the quickstart and a second machine, on the release build), and the trainer's
# own unit tests (-DENTENTE_TRAINER_TESTS=ON); the integration tests run the trainer itself.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS"; }

# The last lines of a log say why; the whole of it stays in build/.
quietly() { # NAME COMMAND...
  local log="build/$1.log"
  shift
  mkdir -p build
  "$@" >"$log" 2>&1 || { tail -n 60 "$log"; echo "failed: $* (whole log: $log)" >&2; exit 1; }
}

say "Packages"
deploy/packages/install.sh build run test

say "Sanitizer build: AddressSanitizer and UndefinedBehaviorSanitizer"
quietly dev-configure cmake --preset dev
quietly dev-build cmake --build --preset dev

say "Tests"
export LSAN_OPTIONS=suppressions=$PWD/tests/support/leak_suppressions.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
ctest --test-dir build/dev --output-on-failure -LE system
