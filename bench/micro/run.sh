#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the microbenchmarks; arguments go to Google Benchmark, e.g.
#   bench/micro/run.sh --benchmark_filter='Aggregate|PlainLoop'
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
"$repository/deploy/packages/install.sh" build bench >&2
mkdir -p "$repository/build"
log="$repository/build/bench-build.log"
(cd "$repository" && cmake --preset release -DENTENTE_BUILD_BENCH=ON && ninja -C build/release -j "$(nproc)" entente-bench-micro) \
  >"$log" 2>&1 || { echo "micro: the build failed; see $log" >&2; exit 1; }
exec "$repository/build/release/bin/entente-bench-micro" "$@"
