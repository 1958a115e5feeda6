#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for so
# many seconds (60):
#   tests/fuzz/run.sh [SECONDS]
# The corpus is read only. What is found goes into a folder under $TMPDIR, which is named at the end; a file
# crash-* there is run again by giving it to the program as its one argument.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
targets=(safetensors decode validator)
found=$(mktemp -d "${TMPDIR:-/tmp}/entente-fuzz.XXXXXX")

cmake --preset fuzz >"$found/configure.log"
cmake --build --preset fuzz --target "${targets[@]/%/_fuzz}" >"$found/build.log" || {
  tail -n 40 "$found/build.log"
  exit 1
}

failed=()
for target in "${targets[@]}"; do
  mkdir "$found/$target"
  echo "== $target: $seconds s"
  if ! "build/fuzz/bin/${target}_fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$found/" "$found/$target" "tests/fuzz/corpus/$target" \
    >"$found/$target.log" 2>&1; then
    failed+=("$target")
    tail -n 40 "$found/$target.log"
  fi
  grep -E 'number_of_executed_units|new_units_added' "$found/$target.log" || true
done

echo "found: $found"
if [ ${#failed[@]} -gt 0 ]; then
  echo "entente: failed: ${failed[*]}" >&2
  exit 1
fi
