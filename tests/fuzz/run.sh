#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs each for so
# many seconds (60), one a core:
#   tests/fuzz/run.sh [SECONDS]
# The corpus is read only. What is found goes into a folder under $TMPDIR, which is named at the end; a file
# crash-* there is run again by giving it to the program as its one argument.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
targets=(fp32 bf16 fp16 int8 int4 topk_2bit topk_int8 zstd_chunk safetensors validator)
found=$(mktemp -d "${TMPDIR:-/tmp}/entente-fuzz.XXXXXX")

cmake --preset fuzz >"$found/configure.log"
cmake --build --preset fuzz --target "${targets[@]/%/_fuzz}" >"$found/build.log" || {
  tail -n 40 "$found/build.log"
  exit 1
}

# TARGET: leaves TARGET.failed if something was found.
fuzz() {
  mkdir "$found/$1"
  "build/fuzz/bin/$1_fuzz" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$found/$1-" "$found/$1" "tests/fuzz/corpus/$1" \
    >"$found/$1.log" 2>&1 || touch "$found/$1.failed"
}
cores=$(nproc)
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do wait -n; done
  fuzz "$target" &
done
wait

failed=()
for target in "${targets[@]}"; do
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$target.log")
  echo "$target: ${executions:-no} executions in $seconds s"
  if [ -e "$found/$target.failed" ]; then
    failed+=("$target")
    tail -n 40 "$found/$target.log"
  fi
done
echo "found: $found"
if [ ${#failed[@]} -gt 0 ]; then
  echo "entente: failed: ${failed[*]}" >&2
  exit 1
fi
