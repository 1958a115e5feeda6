#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds with ThreadSanitizer and runs the unit tests, the scenarios, 300 seeds of the simulator and the integration
# tests, these with the trainer of the preset release, for LibTorch is not built with ThreadSanitizer. A report of any
# process, one that was killed afterwards included, is in build/tsan/race.PID and fails the run. Arguments go to ctest,
# e.g. -R worker_session_test. Not a part of tests/run.sh, which builds everything twice already: some 40 minutes of two
# cores.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset release
cmake --build --preset release --target entente-trainer
cmake --preset tsan
cmake --build --preset tsan
install build/release/bin/entente-trainer build/tsan/bin/
rm -f build/tsan/race.*

failed=0
ctest --test-dir build/tsan -LE 'slow|system' --output-on-failure "$@" || failed=$?
for report in build/tsan/race.*; do
  [[ -e "$report" ]] || continue
  head -n 60 "$report"
  failed=1
done
exit "$failed"
