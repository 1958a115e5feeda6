#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds with ThreadSanitizer and runs what does not need the trainer: the unit tests, the scenarios and 300 seeds of the
# simulator. Arguments go to ctest, e.g. -R worker_session_test. Not a part of tests/run.sh, which builds everything
# twice already: some 20 minutes of two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset tsan
cmake --build --preset tsan
ctest --test-dir build/tsan -LE 'slow|system' --output-on-failure "$@"
