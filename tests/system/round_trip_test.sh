#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# round_trip_test.sh: bench/round_trip runs real rounds with every encoding it is asked for, moves the bytes that
# docs/protocol.md says, and prints what bench/README.md promises. The figures themselves are not looked at.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "FAILED: $*" >&2; exit 1; }
result=$(mktemp)
trap 'rm -f "$result"' EXIT

bench() { "$repository/bench/round_trip/run.sh" --preset dev --workers 2 --rounds 1 --json "$@" >"$result"; }

bench --parameters 100000
jq -e 'all(.seconds_per_round_median, .seconds_per_round_p95, .ceiling_seconds, .coordinator_peak_rss_bytes,
  .worker_peak_rss_bytes, .ceiling_cpu_seconds_per_round; . > 0)' "$result" >/dev/null || fail "a figure is missing: $(cat "$result")"
# 4 bytes a number and the file's header, from and to two workers.
jq -e '.bytes_up > 800000 and .bytes_up < 801000 and .bytes_down > 800000 and .bytes_down < 801000' "$result" >/dev/null ||
  fail "other bytes than 2 x 100,000 floats: $(cat "$result")"

bench --parameters 100000 --encoding int8 --durability process --no-ceiling
jq -e '.bytes_up > 2 * 101564 and .bytes_up < 2 * 101564 + 1000' "$result" >/dev/null ||
  fail "other bytes than 2 x 100,000 of int8: $(cat "$result")"

bench --parameters 100000 --encoding bf16 --download bf16 --no-ceiling
jq -e '.bytes_up > 400000 and .bytes_up < 401000 and .bytes_down > 400000 and .bytes_down < 401000' "$result" >/dev/null ||
  fail "other bytes than 2 x 100,000 of bf16 both ways: $(cat "$result")"

# refuses REASON OPTION...: at once, before anything is built.
refuses() {
  local reason=$1 code=0
  shift
  "$repository/bench/round_trip/run.sh" --parameters 1 --workers 2 "$@" >"$result" 2>&1 || code=$?
  [ "$code" -eq 2 ] || fail "$* ended with $code: $(cat "$result")"
  grep -qF -- "$reason" "$result" || fail "$* is not explained: $(cat "$result")"
}
refuses "--parameters must be a number from 1, not '0'" --parameters 0
refuses "--encoding must be fp32, bf16, fp16, int8, int4 or topk, not 'x'" --encoding x
refuses "--threads must be a number from 0 to 256, not 'x'" --threads x
refuses "is not empty; name a new folder" --keep "$repository/bench"
echo "bench/round_trip runs, moves the right bytes and says so"
