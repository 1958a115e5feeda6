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
  --keep DIR        work in DIR and leave logs and results there (default: a temporary folder)
  --help            this text
TEXT
}
fail() { echo "round_trip: $*" >&2; exit 1; }
bad_usage() { echo "round_trip: $*; see --help" >&2; exit 2; }
is_number() { [[ "$1" =~ ^[0-9]{1,15}$ ]] && [ "$1" -ge 1 ]; }

repository=$(cd "$(dirname "$0")/../.." && pwd)
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
    --compression) [[ "$2" = none || "$2" = zstd ]] || bad_usage "--compression must be none or zstd, not '$2'" ;;
    --parameters|--workers|--rounds) is_number "$2" || bad_usage "$1 must be a number from 1, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
[ -n "$parameters" ] || bad_usage "--parameters is missing"
[ -n "$workers" ] || bad_usage "--workers is missing"
warm_up=2

# ---- Build, and a place to work ---------------------------------------------------------------------

"$repository/deploy/packages/install.sh" build run bench >&2
mkdir -p "$repository/build"
(cd "$repository" && cmake --preset "$preset" -DENTENTE_BUILD_BENCH=ON && ninja -C "build/$preset" -j "$(nproc)") \
  >"$repository/build/bench-build.log" 2>&1 || fail "the build failed; see $repository/build/bench-build.log"
bin="$repository/build/$preset/bin"

pids=()
work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-bench-XXXXXX")}
on_exit() {
  local code=$?
  trap - EXIT INT TERM
  if [ ${#pids[@]} -gt 0 ]; then
    kill -TERM "${pids[@]}" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "${pids[@]}" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
  fi
  if [ -z "$keep" ] && [ "$code" -eq 0 ]; then rm -rf "$work"; fi
  if [ "$code" -ne 0 ]; then echo "round_trip: the logs are in $work" >&2; fi
  exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$work"
work=$(cd "$work" && pwd)

# ---- A federation of one member with N workers ---------------------------------------------------------

pki="$work/pki"
{
  "$bin/entente" pki init --trust-domain alliance.example --name "The alliance" --directory "$pki/alliance"
  "$bin/entente" pki issue --authority "$pki/alliance" --role coordinator --name coordinator --dns localhost --ip 127.0.0.1 --output "$pki"
  "$bin/entente" pki issue --authority "$pki/alliance" --role submitter --name bench --output "$pki"
  "$bin/entente" pki init --trust-domain lab.example --name lab --directory "$pki/lab"
  for ((i = 1; i <= workers; ++i)); do
    "$bin/entente" pki issue --authority "$pki/lab" --role worker --name "w$i" --output "$pki/lab"
  done
} >"$work/pki.log"

model="$work/model.safetensors"
"$bin/entente-bench-trainer" model "$parameters" "$model"

cat >"$work/coordinator.yaml" <<YAML
apiVersion: entente/v1
kind: Coordinator
listen: 127.0.0.1:0
portFile: $work/coordinator/port
dataDirectory: $work/coordinator
tls:
  certificate: $pki/coordinator-coordinator.crt
  privateKey: $pki/coordinator-coordinator.key
alliance:
  trustDomain: alliance.example
  authority: $pki/alliance/authority.crt
aggregationThreads: $threads
durability: $durability
members:
  - id: lab
    jurisdiction: FR
    trustDomain: lab.example
    authority: $pki/lab/authority.crt
YAML
mkdir -p "$work/coordinator"
"$bin/entente-coordinator" --config "$work/coordinator.yaml" >"$work/coordinator.log" 2>&1 &
coordinator=$!
pids+=("$coordinator")
for _ in $(seq 100); do [ -s "$work/coordinator/port" ] && break; sleep 0.1; done
[ -s "$work/coordinator/port" ] || fail "the coordinator did not start: $(tail -n 1 "$work/coordinator.log")"
port=$(cat "$work/coordinator/port")

cat >"$work/policy.yaml" <<YAML
apiVersion: entente/v1
kind: LocalPolicy
rules:
  - name: the-bench
    effect: allow
    submitters: ["spiffe://alliance.example/submitter/bench"]
YAML
worker_pids=()
for ((i = 1; i <= workers; ++i)); do
  mkdir -p "$work/data/$i"
  echo "$i" >"$work/data/$i/train.csv"
  cat >"$work/worker-$i.yaml" <<YAML
apiVersion: entente/v1
kind: Worker
coordinator: 127.0.0.1:$port
tls:
  certificate: $pki/lab/worker-w$i.crt
  privateKey: $pki/lab/worker-w$i.key
  authority: $pki/alliance/authority.crt
workDirectory: $work/work/$i
policy: $work/policy.yaml
datasets:
  - name: nothing
    format: csv
    directory: $work/data/$i
trainer:
  command: [$bin/entente-bench-trainer]
YAML
  "$bin/entente-worker" --config "$work/worker-$i.yaml" >"$work/worker-$i.log" 2>&1 &
  worker_pids+=("$!")
  pids+=("$!")
done
as_researcher=("$bin/entente" --coordinator "127.0.0.1:$port" --certificate "$pki/submitter-bench.crt"
  --private-key "$pki/submitter-bench.key" --authority "$pki/alliance/authority.crt")
attached=0
for _ in $(seq 300); do
  attached=$("${as_researcher[@]}" member list -o json 2>/dev/null | jq '[.members[]?.workers[]? | select(.connected)] | length' 2>/dev/null || echo 0)
  [ "$attached" = "$workers" ] && break
  sleep 0.1
done
[ "$attached" = "$workers" ] || fail "only $attached of $workers workers attached within 30 s"

# ---- The rounds -----------------------------------------------------------------------------------------

cat >"$work/recipe.yaml" <<YAML
apiVersion: entente/v1
kind: Recipe
name: round-trip
purpose: research on the speed of the data plane
dataset: nothing
model:
  builtin: {architecture: mlp, inputShape: [1], outputs: 1}
  initialWeights: {file: $model}
task: regression
training: {epochs: 1, batchSize: 1, optimizer: sgd, learningRate: 0.1}
rounds: $((warm_up + rounds))
pacing:
  quorum: {count: $workers}
  deadline: 2h
updates:
  encoding: $encoding
  download: $download
  compression: $compression
evaluation:
  everyRounds: 0
YAML

cpu_ticks() { awk '{print $14 + $15 + $16 + $17}' "/proc/$1/stat"; }
all_ticks() { for pid in "${worker_pids[@]}"; do cpu_ticks "$pid"; done | awk '{sum += $1} END {print sum}'; }
peak_bytes() { awk '/^VmHWM/ {print $2 * 1024}' "/proc/$1/status"; }
loopback_bytes() { cat /sys/class/net/lo/statistics/tx_bytes; }

job=$("${as_researcher[@]}" job submit "$work/recipe.yaml" --trainer "$bin/entente-bench-trainer" -o json | jq -r .job.id)
wire_before=$(loopback_bytes)
coordinator_ticks=$(cpu_ticks "$coordinator")
worker_ticks=$(all_ticks)
"${as_researcher[@]}" job watch "$job" >"$work/watch.log" 2>&1 || fail "the job did not complete: $(tail -n 1 "$work/watch.log")"
coordinator_ticks=$(($(cpu_ticks "$coordinator") - coordinator_ticks))
worker_ticks=$(($(all_ticks) - worker_ticks))
wire_bytes=$(($(loopback_bytes) - wire_before))
coordinator_rss=$(peak_bytes "$coordinator")
worker_rss=$(for pid in "${worker_pids[@]}"; do peak_bytes "$pid"; done | sort -n | tail -1)
"${as_researcher[@]}" job show "$job" -o json >"$work/job.json"
for ((i = 1; i <= warm_up + rounds; ++i)); do "${as_researcher[@]}" round show "$job" "$i" -o json; done | jq -s . >"$work/rounds.json"

kill -TERM "${pids[@]}"
wait "${pids[@]}" || true
pids=()

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
jq -n --slurpfile rounds "$work/rounds.json" --slurpfile ceiling "$work/ceiling.json" --slurpfile bare "$work/ceiling-default.json" \
  --argjson warm_up "$warm_up" --argjson parameters "$parameters" --argjson workers "$workers" \
  --arg encoding "$encoding" --arg download "$download" --arg compression "$compression" --arg durability "$durability" \
  --argjson up "$round_bytes_up" --argjson down "$round_bytes_down" --argjson wire "$wire_bytes" \
  --argjson coordinator_rss "$coordinator_rss" --argjson worker_rss "$worker_rss" \
  --argjson coordinator_ticks "$coordinator_ticks" --argjson worker_ticks "$worker_ticks" --argjson hertz "$(getconf CLK_TCK)" '
  def seconds: capture("^(?<whole>[^.Z]+)(\\.(?<part>[0-9]+))?Z$") | ((.whole + "Z") | fromdate) + (("0." + (.part // "0")) | tonumber);
  def quantile($q): sort | if length == 0 then null else .[([((length * $q) | ceil) - 1, 0] | max)] end;
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
  jq -r '
    def round3: . * 1000 | round / 1000;
    def mib: . / 1048576 * 10 | round / 10 | tostring + " MiB";
    "\(.parameters) parameters x \(.workers) workers, \(.encoding) up, \(.download) down, compression \(.compression), mTLS, durability \(.durability), \(.rounds_measured) rounds",
    "  a round                \(.seconds_per_round_median | round3) s median, \(.seconds_per_round_p95 | round3) s p95, \(.mib_per_second | round) MiB/s both ways",
    (if .ceiling_seconds then
    "  bare gRPC, same bytes  \(.ceiling_seconds | round3) s (gRPC'"'"'s own channel settings: \(.ceiling_seconds_default_channel | round3) s); a round is \(.ratio_to_ceiling | round3) x that" else empty end),
    "  bytes a round          \(.bytes_up | mib) up, \(.bytes_down | mib) down, \(.wire_bytes_per_round | mib) on the wire",
    "  peak memory            coordinator \(.coordinator_peak_rss_bytes | mib), largest worker \(.worker_peak_rss_bytes | mib)",
    "  CPU a round            coordinator \(.coordinator_cpu_seconds_per_round | round3) s, workers \(.workers_cpu_seconds_per_round | round3) s"
  ' "$work/result.json"
fi
