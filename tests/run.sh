#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs every test; ends in ctest's summary. No input, no arguments.
# On two cores from a clean clone: about 20 minutes, most of it compiling.
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

say "Release build: what the quickstart runs"
quietly release-configure cmake --preset release
quietly release-build cmake --build --preset release

say "Analysis: clang with -Wthread-safety as errors"
quietly analyze-configure cmake --preset analyze
quietly analyze-build cmake --build --preset analyze

say "Sanitizer build: AddressSanitizer and UndefinedBehaviorSanitizer"
quietly dev-configure cmake --preset dev
quietly dev-build cmake --build --preset dev

say "Tests"
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export LSAN_OPTIONS=suppressions=$PWD/tests/support/leak_suppressions.txt:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1
ctest --test-dir build/dev --output-on-failure -j 2
