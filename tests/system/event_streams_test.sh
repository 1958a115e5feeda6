#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# event_streams_test.sh: bench/event_streams runs real rounds without and with event streams that are read, and prints
# what bench/README.md promises. The seconds themselves are not looked at.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "FAILED: $*" >&2; exit 1; }
result=$(mktemp)
trap 'rm -f "$result"' EXIT
bench="$repository/bench/event_streams/run.sh"

"$bench" --preset dev --streams 5 --parameters 1000 --workers 2 --rounds 40 --pairs 1 --json >"$result"
jq -e 'all(.ratio, .ratio_of_means, .ratio_of_pairs[0], .without.seconds_per_round_median, .with.seconds_per_round_median,
  .without.coordinator_cpu_seconds_per_round, .with.coordinator_cpu_seconds_per_round,
  .with.coordinator_peak_rss_bytes; . > 0)' "$result" >/dev/null || fail "a figure is missing: $(cat "$result")"
jq -e '.rounds_measured == 40 and (.seconds_with[0] | length) == 40 and (.seconds_without[0] | length) == 40' "$result" >/dev/null ||
  fail "other rounds than 40 each way: $(cat "$result")"
# Each stream is told the same, twice a second: at least once how the job stands.
jq -e '.streams == 5 and .stream_bytes > 5 * 500 and .without.stream_bytes_per_round == 0' "$result" >/dev/null ||
  fail "the streams were told too little, or those were that were not there: $(cat "$result")"

refused() { # WHY OPTION...
  local why=$1 code=0
  shift
  "$bench" "$@" >"$result" 2>&1 || code=$?
  [ "$code" -eq 2 ] && grep -q -- "$why" "$result" || fail "$* is not explained: $code, $(cat "$result")"
}
refused "must be a number from 1 to 256" --streams 257
refused "must be federation, jobs, job or events" --page rounds
refused "unknown option --stream" --stream 5
refused "is not empty; name a new folder" --keep "$repository/bench"
echo "bench/event_streams measures rounds without and with streams, and says so"
