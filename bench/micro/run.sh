#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The parts of the data plane, one by one, beside what the machine can do. See `--help` and bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/micro/run.sh [options]

Builds and runs the microbenchmarks: encode, decode and sum for each encoding and instruction set, aggregation,
SHA-256 and a spool write; beside them memcpy, a STREAM triad and a plain loop that reads and adds.

Options:
  --preset NAME     which of CMakePresets.json to build and run: release, or dev for a test of this script;
                    its figures mean nothing (default: release)
  --benchmark_...   Google Benchmark's own, such as --benchmark_filter='Aggregate|PlainLoop'
  --help            this text
TEXT
}
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=micro
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

preset=release options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --benchmark_*) options+=("$1"); shift; continue ;;
    --preset) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  [[ "$2" = release || "$2" = dev ]] || bad_usage "--preset must be release or dev, not '$2'"
  preset=$2
  shift 2
done

"$repository/deploy/packages/install.sh" build bench >&2
mkdir -p "$repository/build"
log="$repository/build/bench-build.log"
(cd "$repository" && cmake --preset "$preset" -DENTENTE_BUILD_BENCH=ON && ninja -C "build/$preset" -j "$(nproc)" entente-bench-micro) \
  >"$log" 2>&1 || fail "the build failed; see $log"
exec "$repository/build/$preset/bin/entente-bench-micro" ${options[@]+"${options[@]}"}
