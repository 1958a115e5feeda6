#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench_scripts_test.sh: what is quick of bench/micro, compare, accuracy and table: each explains bad usage in one
# sentence before it builds or installs anything, micro runs a benchmark, and compare lays results side by side.
# bench/round_trip and bench/event_streams have tests of their own.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "FAILED: $*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
result="$work/result"

# refused SCRIPT SENTENCE OPTION...
refused() {
  local script=$1 sentence="$1: $2; see --help" code=0
  shift 2
  "$repository/bench/$script/run.sh" "$@" >"$result" 2>&1 || code=$?
  [ "$code" -eq 2 ] || fail "bench/$script $* ended with $code: $(cat "$result")"
  [ "$(cat "$result")" = "$sentence" ] || fail "bench/$script $* says '$(cat "$result")', not '$sentence'"
}
for script in micro compare accuracy table; do
  "$repository/bench/$script/run.sh" --help >"$result" || fail "bench/$script --help ended with $?"
  grep -q "^Usage: bench/$script/run.sh " "$result" || fail "bench/$script --help says '$(cat "$result")'"
  refused "$script" "unknown option --no-such" --no-such 1
done
for script in compare accuracy table; do
  refused "$script" "--rounds needs a value" --rounds
  refused "$script" "--rounds must be a number from 1, not '0'" --rounds 0
done
for script in accuracy table; do
  refused "$script" "--keep $repository/bench is not empty; name a new folder" --keep "$repository/bench"
done
refused micro "--preset needs a value" --preset
refused micro "--preset must be release or dev, not 'debug'" --preset debug
refused accuracy "--preset must be release or dev, not 'debug'" --preset debug
refused accuracy "--encodings must be names separated by commas, not 'fp32,'" --encodings fp32,
refused accuracy "--seeds must be numbers separated by commas, not 'one'" --seeds one
refused compare "--parameters is missing" --workers 1
refused compare "--workers is missing" --parameters 1
refused compare "--only must be flower, nvflare or entente, not 'fedml'" --only fedml
refused table "--limit must be a number from 1, not 'x'" --limit x

"$repository/bench/micro/run.sh" --preset dev --benchmark_filter='^Sha256$' --benchmark_min_time=0.01 \
  >"$result" 2>"$work/log" || fail "bench/micro failed: $(cat "$work/log")"
grep -Eq '^Benchmark +Time +CPU +Iterations' "$result" || fail "bench/micro has no table: $(cat "$result")"
grep -Eq '^Sha256 .*bytes_per_second=' "$result" || fail "bench/micro has no line of SHA-256: $(cat "$result")"
[ "$(grep -c 'bytes_per_second=' "$result")" -eq 1 ] || fail "bench/micro ran what was filtered out: $(cat "$result")"

# Results that no run made: ours, a peer that took four times as long, and one that could not be installed.
echo '{"seconds_per_round_median": 2, "seconds_per_round_p95": 2.5, "coordinator_peak_rss_bytes": 104857600,
  "worker_peak_rss_bytes": 1048576, "bytes_up": 10, "bytes_down": 20, "durability": "process"}' >"$work/entente.json"
echo '{"version": "1.0", "seconds_per_round_median": 8, "seconds_per_round_p95": 9, "server_peak_rss_bytes": 1048576000,
  "client_peak_rss_bytes": 2097152, "wire_bytes_per_round": 30, "conditions": {"transport": "t", "tls": "none",
  "durability": "none", "processes": "p", "polling": "p"}}' >"$work/flower.json"
echo '{"problem": "left out: PyPI cannot be reached"}' >"$work/nvflare.json"
report() { python3 "$repository/bench/compare/report.py" --parameters 1000 --workers 2 --rounds 7 --warm-up-rounds 2 "$@"; }
report --json "$work"/{flower,nvflare,entente}.json >"$result"
jq -e '.ratios == {"flower": {"seconds": 4, "server_rss": 10}} and .tools.entente.wire_bytes_per_round == 30' "$result" >/dev/null ||
  fail "bench/compare has other ratios: $(cat "$result")"
report "$work"/{flower,nvflare,entente}.json >"$result"
for line in "Flower takes 4.0 x Entente's seconds a round, and 10.0 x its server memory." "left out: PyPI cannot be reached" \
  "Entente  process: journal, updates and model are on disk, not synced"; do
  grep -qF -- "$line" "$result" || fail "bench/compare does not say '$line': $(cat "$result")"
done
report "$work/nvflare.json" >"$result" && fail "bench/compare is content although nothing was measured"
echo "the scripts of bench explain themselves, and run"
