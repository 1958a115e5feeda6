#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing; compiles with clang's thread-safety analysis; builds with AddressSanitizer and
# UndefinedBehaviorSanitizer; fuzzes what reads a stranger's bytes; runs every test but those labelled slow, the
# quickstart, a second machine, the crash loop, broken networks, ten thousand connections, a round that stands still,
# who sees what, the dashboard in a browser, a real Prometheus, a terminal and the benches of rounds and of event
# streams included; ends in ctest's summary. Screenshots of the dashboard are left in build/dev/dashboard. No input, no
# arguments.
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
deploy/packages/install.sh build run test bench

say "Layout: clang-format"
git ls-files '*.cc' '*.h' | xargs clang-format-14 --dry-run --Werror

say "Thread-safety analysis: clang"
quietly analyze-configure cmake --preset analyze
quietly analyze-build cmake --build --preset analyze

say "Sanitizer build: AddressSanitizer and UndefinedBehaviorSanitizer"
quietly dev-configure cmake --preset dev
quietly dev-build cmake --build --preset dev

say "Fuzzing: a minute a target"
quietly fuzz tests/fuzz/run.sh 60

say "Tests"
ctest --test-dir build/dev -LE slow -j "$(nproc)" --output-on-failure
