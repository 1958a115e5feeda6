#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What those who look at the dashboard cost a run: rounds of a federation whose training costs nothing, alternately with
# nobody there and with many open event streams, all of which are read. See `--help` and bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/event_streams/run.sh [options]

Measures seconds a round of a coordinator and N workers that move a model of P float32 parameters, without anybody
who looks at the dashboard and with S open event streams, alternately, and prints their ratio, the bytes that the
streams got, and the CPU of the coordinator and of the program that reads the streams.

Options:
  --streams S       event streams, each on a connection of its own; 1 to 256, as many as a coordinator serves
                    (default: 100)
  --page PAGE       which page they are of: federation, jobs, job or events (default: job, which is told most)
  --parameters P    numbers of the model (default: 2500000)
  --workers N       worker processes (default: 4)
  --rounds R        rounds to measure in each part, after 3 to warm up (default: 20)
  --pairs K         how often: a part without and one with streams, each with a federation of its own (default: 5)
  --preset NAME     which of CMakePresets.json to build and run: release, or dev for a test of this script;
                    its figures mean nothing (default: release)
  --json            print one JSON object in place of a table
  --keep DIR        work in DIR, new or empty, and leave logs and results there (default: a temporary folder)
  --help            this text
TEXT
}
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=event_streams
# shellcheck source-path=SCRIPTDIR source=../lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

streams=100 page=job parameters=2500000 workers=4 rounds=20 pairs=5 preset=release json=false keep=""
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --json) json=true; shift; continue ;;
    --streams|--page|--parameters|--workers|--rounds|--pairs|--preset|--keep) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  case "$1" in
    --preset) [[ "$2" = release || "$2" = dev ]] || bad_usage "--preset must be release or dev, not '$2'" ;;
    --page) [[ "$2" =~ ^(federation|jobs|job|events)$ ]] || bad_usage "--page must be federation, jobs, job or events, not '$2'" ;;
    --streams) is_count "$2" && [ "$2" -le 256 ] || bad_usage "--streams must be a number from 1 to 256, not '$2'" ;;
    --parameters|--workers|--rounds|--pairs) is_count "$2" || bad_usage "$1 must be a number from 1, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
if [ -n "$keep" ]; then must_be_new --keep "$keep"; fi
warm_up=3

# ---- Build, and a place to work ---------------------------------------------------------------------

"$repository/deploy/packages/install.sh" build run bench >&2
mkdir -p "$repository/build"
work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-bench-XXXXXX")}
clean_up() {
  if [ -z "$keep" ] && [ "$1" -eq 0 ]; then rm -rf "$work"; fi
  if [ "$1" -ne 0 ]; then rmdir "$work" 2>/dev/null || echo "event_streams: the logs are in $work" >&2; fi
}
stop_at_end clean_up
build_programs "$preset" "$repository/build/bench-build.log" -DENTENTE_BUILD_BENCH=ON
mkdir -p "$work"
work=$(cd "$work" && pwd)

# shellcheck disable=SC2046
certify_lab bench $(seq -f w%g "$workers")
model="$work/model.safetensors"
"$bin/entente-bench-trainer" model "$parameters" "$model"
# It is cancelled when enough has been measured.
idle_recipe "$model" 100000 "$workers" >"$work/recipe.yaml"

# ---- One part -------------------------------------------------------------------------------------------

committed() { rounds_committed "$folder/watch.log"; }
has_committed() {
  kill -0 "$watch" 2>/dev/null || fail "the job ended by itself: $(tail -n 1 "$folder/watch.log")"
  [ "$(committed)" -ge "$1" ]
}
streams_are_open() {
  kill -0 "$reader" 2>/dev/null || fail "the streams are not open: $(tail -n 1 "$folder/streams.log")"
  grep -qx open "$folder/streams.txt"
}
open_streams() {
  : >"$folder/streams.txt"
  start python3 "$repository/bench/event_streams/read_streams.py" "$dashboard" "$streams" \
    "/api/stream?page=$page&job=$job" >"$folder/streams.txt" 2>"$folder/streams.log"
  reader=$started
  await_that 60 "the streams are open" streams_are_open
}
close_streams() {
  kill -TERM "$reader" 2>/dev/null || true
  finish "$reader" || fail "the streams were not read to the end: $(tail -n 1 "$folder/streams.log")"
  tail -n 1 "$folder/streams.txt" >"$folder/streams.json"
}

# measure_part PAIR KIND: rounds of a fresh federation, with streams if KIND is `with`. A fresh one, because a
# coordinator whose dashboard was looked at goes on for a minute to write down what it would tell. Leaves its figures in
# part-PAIR-KIND.json.
measure_part() {
  local pair=$1 kind=$2 i coordinator_ticks first passed peak
  folder="$work/part-$pair-$kind"
  mkdir -p "$folder"
  coordinator_yaml 127.0.0.1:0 "$folder/coordinator" >"$folder/coordinator.yaml"
  start_coordinator "$folder/coordinator.yaml" "$folder/coordinator" "$folder/coordinator.log" bench
  for ((i = 1; i <= workers; ++i)); do start_idle_worker "$i" "$folder" bench; done
  await_attached "$workers"
  submit_recipe
  start "${as_submitter[@]}" job watch "$job" >"$folder/watch.log" 2>&1
  watch=$started
  echo '{"bytes": 0, "cpu_seconds": 0}' >"$folder/streams.json"
  if [ "$kind" = with ]; then open_streams; fi

  # The round in flight began before the streams were open, perhaps.
  first=$(($(committed) + 1))
  if [ "$first" -lt "$warm_up" ]; then first=$warm_up; fi
  await_that 3600 "round $first is committed" has_committed "$first"
  first=$(committed)
  coordinator_ticks=$(cpu_ticks "$coordinator")
  if [ "$kind" = with ]; then kill -USR1 "$reader"; fi
  # One more, for a round's time is until the opening of the next.
  await_that 3600 "$rounds rounds are committed" has_committed $((first + rounds + 1))
  passed=$(($(committed) - first))
  coordinator_ticks=$(($(cpu_ticks "$coordinator") - coordinator_ticks))
  peak=$(peak_bytes "$coordinator")
  if [ "$kind" = with ]; then close_streams; fi

  "${as_submitter[@]}" job cancel "$job" >/dev/null
  finish "$watch" || true
  "${as_submitter[@]}" round list "$job" -o json >"$folder/rounds.json"
  stop_all
  rm -rf "$folder/coordinator" "$folder/work"
  jq -L "$repository/bench/lib" --slurpfile streams "$folder/streams.json" --arg kind "$kind" \
    --argjson first "$first" --argjson rounds "$rounds" --argjson passed "$passed" \
    --argjson ticks "$coordinator_ticks" --argjson hertz "$(getconf CLK_TCK)" --argjson peak "$peak" '
    include "figures";
    (.rounds[:$first + $rounds + 1] | if all(.attempt == 1) then map(.openedAt | seconds)
     else error("a round was tried twice; there is no telling what it cost") end) as $opened |
    {
      kind: $kind,
      seconds: [range($first; $first + $rounds) | $opened[. + 1] - $opened[.]],
      rounds_passed: $passed,
      coordinator_cpu_seconds: ($ticks / $hertz),
      coordinator_peak_rss_bytes: $peak,
      stream_bytes: $streams[0].bytes,
      reader_cpu_seconds: $streams[0].cpu_seconds
    }' "$folder/rounds.json" >"$work/part-$pair-$kind.json"
}

# ---- All of them, and what came out ---------------------------------------------------------------------

parts=()
for ((pair = 1; pair <= pairs; ++pair)); do
  for kind in without with; do
    measure_part "$pair" "$kind"
    parts+=("$work/part-$pair-$kind.json")
  done
done

jq -L "$repository/bench/lib" -s --argjson streams "$streams" --arg page "$page" --argjson parameters "$parameters" \
  --argjson workers "$workers" '
  include "figures";
  def of($kind): map(select(.kind == $kind));
  def sum_of(f): map(f) | add;
  def summary: {
    seconds_per_round_median: ([.[].seconds[]] | quantile(0.5)),
    seconds_per_round_mean: ([.[].seconds[]] | add / length),
    seconds_per_round_p95: ([.[].seconds[]] | quantile(0.95)),
    coordinator_cpu_seconds_per_round: (sum_of(.coordinator_cpu_seconds) / sum_of(.rounds_passed)),
    reader_cpu_seconds_per_round: (sum_of(.reader_cpu_seconds) / sum_of(.rounds_passed)),
    stream_bytes_per_round: (sum_of(.stream_bytes) / sum_of(.rounds_passed) | round),
    coordinator_peak_rss_bytes: (map(.coordinator_peak_rss_bytes) | max)
  };
  of("without") as $without | of("with") as $with |
  {
    streams: $streams, page: $page, parameters: $parameters, workers: $workers,
    pairs: ($with | length),
    rounds_measured: ([$with[].seconds | length] | add),
    without: ($without | summary),
    with: ($with | summary),
    ratio: (($with | summary).seconds_per_round_median / ($without | summary).seconds_per_round_median),
    ratio_of_means: (($with | summary).seconds_per_round_mean / ($without | summary).seconds_per_round_mean),
    ratio_of_pairs: [range($with | length) | ($with[.].seconds | quantile(0.5)) / ($without[.].seconds | quantile(0.5))],
    stream_bytes: ($with | sum_of(.stream_bytes)),
    seconds_without: [$without[].seconds],
    seconds_with: [$with[].seconds]
  }' "${parts[@]}" >"$work/result.json"

if $json; then
  cat "$work/result.json"
else
  jq -L "$repository/bench/lib" -r '
    include "figures";
    "\(.parameters) parameters x \(.workers) workers, mTLS; \(.streams) event streams of the page \(.page); \(.pairs) pairs of parts, \(.rounds_measured) rounds each way",
    "  a round, median        \(.without.seconds_per_round_median | round3) s without, \(.with.seconds_per_round_median | round3) s with: \(.ratio | round3) x (aim: 1.02)",
    "  medians of each pair   \(.ratio_of_pairs | map(round3 | tostring + " x") | join(", "))",
    "  a round, mean          \(.without.seconds_per_round_mean | round3) s without, \(.with.seconds_per_round_mean | round3) s with: \(.ratio_of_means | round3) x",
    "  a round, p95           \(.without.seconds_per_round_p95 | round3) s without, \(.with.seconds_per_round_p95 | round3) s with",
    "  coordinator, CPU       \(.without.coordinator_cpu_seconds_per_round | round3) s a round without, \(.with.coordinator_cpu_seconds_per_round | round3) s with",
    "  who reads them, CPU    \(.with.reader_cpu_seconds_per_round | round3) s a round, on the same machine: no cost of the coordinator",
    "  to the streams         \(.stream_bytes | mib) in all, \(.with.stream_bytes_per_round / 1024 * 10 | round / 10) KiB a round",
    "  coordinator, memory    \(.without.coordinator_peak_rss_bytes | mib) at most without, \(.with.coordinator_peak_rss_bytes | mib) with"
  ' "$work/result.json"
fi
