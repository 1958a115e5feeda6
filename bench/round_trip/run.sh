#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Rounds of a federation whose training costs nothing, so that what is left is the data plane: a real
# coordinator, N real workers over mTLS, a trainer that answers at once. Beside it, in the same run, the
# ceiling: bare gRPC over mTLS that moves the same bytes. See `--help` and bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/round_trip/run.sh --parameters P --workers N [options]

Measures seconds a round, peak memory, bytes and CPU of a coordinator and N workers that move a model of P
float32 parameters down and an update up, and the seconds that bare gRPC over mTLS takes for the same.

Options:
  --parameters P    numbers of the model
  --workers N       worker processes
  --rounds R        rounds to measure, after 2 to warm up (default: 7)
  --encoding E      of the updates (default: fp32)
  --download D      fp32 or bf16: in which form workers get the model (default: fp32)
  --compression C   none or zstd: of the chunks, both ways (default: none)
  --durability D    power_loss or process: what an acknowledged update survives (default: power_loss)
  --threads T       aggregation threads; 0 is one a core (default: 0)
  --preset NAME     which of CMakePresets.json to build and run: release, or dev for a test of this script;
                    its figures mean nothing (default: release)
  --no-ceiling      leave the bare gRPC out
  --json            print one JSON object in place of a table
  --keep DIR        work in DIR, new or empty, and leave logs and results there (default: a temporary folder)
  --help            this text
TEXT
}
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=round_trip
# shellcheck source-path=SCRIPTDIR source=../lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

parameters="" workers="" rounds=7 encoding=fp32 download=fp32 compression=none durability=power_loss threads=0 preset=release ceiling=true json=false keep=""
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --json) json=true; shift; continue ;;
    --no-ceiling) ceiling=false; shift; continue ;;
    --parameters|--workers|--rounds|--encoding|--download|--compression|--durability|--threads|--keep|--preset) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  case "$1" in
    --preset) [[ "$2" = release || "$2" = dev ]] || bad_usage "--preset must be release or dev, not '$2'" ;;
    --durability) [[ "$2" = power_loss || "$2" = process ]] || bad_usage "--durability must be power_loss or process, not '$2'" ;;
    --download) [[ "$2" = fp32 || "$2" = bf16 ]] || bad_usage "--download must be fp32 or bf16, not '$2'" ;;
    --encoding) [[ "$2" =~ ^(fp32|bf16|fp16|int8|int4|topk)$ ]] || bad_usage "--encoding must be fp32, bf16, fp16, int8, int4 or topk, not '$2'" ;;
    --threads) is_number "$2" && [ "$2" -le 256 ] || bad_usage "--threads must be a number from 0 to 256, not '$2'" ;;
    --compression) [[ "$2" = none || "$2" = zstd ]] || bad_usage "--compression must be none or zstd, not '$2'" ;;
    --parameters|--workers|--rounds) is_count "$2" || bad_usage "$1 must be a number from 1, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
[ -n "$parameters" ] || bad_usage "--parameters is missing"
[ -n "$workers" ] || bad_usage "--workers is missing"
if [ -n "$keep" ]; then must_be_new --keep "$keep"; fi
warm_up=2

# ---- Build, and a place to work ---------------------------------------------------------------------

"$repository/deploy/packages/install.sh" build run bench >&2
mkdir -p "$repository/build"
work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-bench-XXXXXX")}
clean_up() {
  if [ -z "$keep" ] && [ "$1" -eq 0 ]; then rm -rf "$work"; fi
  if [ "$1" -ne 0 ]; then rmdir "$work" 2>/dev/null || echo "round_trip: the logs are in $work" >&2; fi
}
stop_at_end clean_up
build_programs "$preset" "$repository/build/bench-build.log" -DENTENTE_BUILD_BENCH=ON
mkdir -p "$work"
work=$(cd "$work" && pwd)

# ---- A federation of one member with N workers ---------------------------------------------------------

# shellcheck disable=SC2046
certify_lab bench $(seq -f w%g "$workers")

model="$work/model.safetensors"
"$bin/entente-bench-trainer" model "$parameters" "$model"

{
  coordinator_yaml 127.0.0.1:0 "$work/coordinator"
  echo "aggregationThreads: $threads"
  echo "durability: $durability"
} >"$work/coordinator.yaml"
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" bench

worker_pids=()
for ((i = 1; i <= workers; ++i)); do
  start_idle_worker "$i" "$work" bench
  worker_pids+=("$started")
done
await_attached "$workers"

# ---- The rounds -----------------------------------------------------------------------------------------

{
  idle_recipe "$model" $((warm_up + rounds)) "$workers"
  echo "updates:"
  echo "  encoding: $encoding"
  echo "  download: $download"
  echo "  compression: $compression"
} >"$work/recipe.yaml"

all_ticks() { for pid in "${worker_pids[@]}"; do cpu_ticks "$pid"; done | awk '{sum += $1} END {print sum}'; }
loopback_bytes() { cat /sys/class/net/lo/statistics/tx_bytes; }

submit_recipe
wire_before=$(loopback_bytes)
coordinator_ticks=$(cpu_ticks "$coordinator")
worker_ticks=$(all_ticks)
"${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1 || fail "the job did not complete: $(tail -n 1 "$work/watch.log")"
coordinator_ticks=$(($(cpu_ticks "$coordinator") - coordinator_ticks))
worker_ticks=$(($(all_ticks) - worker_ticks))
wire_bytes=$(($(loopback_bytes) - wire_before))
coordinator_rss=$(peak_bytes "$coordinator")
worker_rss=$(for pid in "${worker_pids[@]}"; do peak_bytes "$pid"; done | sort -n | tail -1)
"${as_submitter[@]}" job show "$job" -o json >"$work/job.json"
for ((i = 1; i <= warm_up + rounds; ++i)); do "${as_submitter[@]}" round show "$job" "$i" -o json; done | jq -s . >"$work/rounds.json"

stop_all

# ---- The ceiling ------------------------------------------------------------------------------------------

round_bytes_up=$(jq -r '.[-1].bytesUp | tonumber' "$work/rounds.json")
round_bytes_down=$(jq -r --argjson rounds $((warm_up + rounds)) '(.bytesDown | tonumber) / $rounds | round' "$work/job.json")
echo '{"seconds": []}' >"$work/ceiling.json"
echo '{"seconds": []}' >"$work/ceiling-default.json"
if $ceiling; then
  bare=("$bin/entente-bench-ceiling" --workers "$workers" --rounds $((warm_up + rounds))
    --bytes-down $((round_bytes_down / workers)) --bytes-up $((round_bytes_up / workers))
    --server-certificate "$pki/coordinator-coordinator.crt" --server-key "$pki/coordinator-coordinator.key"
    --client-certificate "$pki/lab/worker-w1.crt" --client-key "$pki/lab/worker-w1.key"
    --server-authority "$pki/alliance/authority.crt" --client-authority "$pki/lab/authority.crt")
  "${bare[@]}" >"$work/ceiling.json" 2>"$work/ceiling.log" || fail "bare gRPC failed: $(tail -n 1 "$work/ceiling.log")"
  "${bare[@]}" --default-channel >"$work/ceiling-default.json" 2>>"$work/ceiling.log" || fail "bare gRPC failed"
fi

# A round's time is from its opening to the opening of the next, so that nothing between them is lost.
jq -L "$repository/bench/lib" -n --slurpfile rounds "$work/rounds.json" --slurpfile ceiling "$work/ceiling.json" --slurpfile bare "$work/ceiling-default.json" \
  --argjson warm_up "$warm_up" --argjson parameters "$parameters" --argjson workers "$workers" \
  --arg encoding "$encoding" --arg download "$download" --arg compression "$compression" --arg durability "$durability" \
  --argjson up "$round_bytes_up" --argjson down "$round_bytes_down" --argjson wire "$wire_bytes" \
  --argjson coordinator_rss "$coordinator_rss" --argjson worker_rss "$worker_rss" \
  --argjson coordinator_ticks "$coordinator_ticks" --argjson worker_ticks "$worker_ticks" --argjson hertz "$(getconf CLK_TCK)" '
  include "figures";
  ($rounds[0] | [.[].openedAt | seconds] + [.[-1].endedAt | seconds]) as $times |
  [range($warm_up; $rounds[0] | length) | $times[. + 1] - $times[.]] as $taken |
  ($ceiling[0].seconds[$warm_up:] | quantile(0.5)) as $ceiling_seconds |
  ($rounds[0] | length) as $count |
  {
    parameters: $parameters, workers: $workers, encoding: $encoding, download: $download, compression: $compression,
    durability: $durability,
    rounds_measured: ($taken | length),
    seconds_per_round_median: ($taken | quantile(0.5)),
    seconds_per_round_p95: ($taken | quantile(0.95)),
    ceiling_seconds: $ceiling_seconds,
    ceiling_seconds_default_channel: ($bare[0].seconds[$warm_up:] | quantile(0.5)),
    ceiling_cpu_seconds_per_round: $ceiling[0].cpu_seconds_per_round,
    ratio_to_ceiling: (if $ceiling_seconds then ($taken | quantile(0.5)) / $ceiling_seconds else null end),
    mib_per_second: (($up + $down) / 1048576 / ($taken | quantile(0.5))),
    bytes_up: $up, bytes_down: $down,
    wire_bytes_per_round: ($wire / $count | round),
    coordinator_peak_rss_bytes: $coordinator_rss, worker_peak_rss_bytes: $worker_rss,
    coordinator_cpu_seconds_per_round: ($coordinator_ticks / $hertz / $count),
    workers_cpu_seconds_per_round: ($worker_ticks / $hertz / $count),
    seconds_per_round: $taken
  }' >"$work/result.json"

if $json; then
  cat "$work/result.json"
else
  jq -L "$repository/bench/lib" -r '
    include "figures";
    "\(.parameters) parameters x \(.workers) workers, \(.encoding) up, \(.download) down, compression \(.compression), mTLS, durability \(.durability), \(.rounds_measured) rounds",
    "  a round                \(.seconds_per_round_median | round3) s median, \(.seconds_per_round_p95 | round3) s p95, \(.mib_per_second | round) MiB/s both ways",
    (if .ceiling_seconds then
    "  bare gRPC, same bytes  \(.ceiling_seconds | round3) s (gRPC'"'"'s own channel settings: \(.ceiling_seconds_default_channel | round3) s); a round is \(.ratio_to_ceiling | round3) x that" else empty end),
    "  bytes a round          \(.bytes_up | mib) up, \(.bytes_down | mib) down, \(.wire_bytes_per_round | mib) on the wire",
    "  peak memory            coordinator \(.coordinator_peak_rss_bytes | mib), largest worker \(.worker_peak_rss_bytes | mib)",
    "  CPU a round            coordinator \(.coordinator_cpu_seconds_per_round | round3) s, workers \(.workers_cpu_seconds_per_round | round3) s" +
      (if .ceiling_cpu_seconds_per_round then ", bare gRPC \(.ceiling_cpu_seconds_per_round | round3) s" else "" end)
  ' "$work/result.json"
fi
