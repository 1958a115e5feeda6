#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tables of bench/results.md in one run: every kind of round, the parts, and the peers. See `--help` and
# bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/table/run.sh [options]

Runs bench/compare, bench/round_trip, bench/micro and bench/accuracy one after the other, for the work that
bench/results.md names, and prints its tables as Markdown. Takes about 40 minutes on two cores, which should have
nothing else to do, and 20 GiB of disk.

Options:
  --rounds R        rounds to measure, after 2 to warm up (default: 7)
  --limit SECONDS   after which a peer is given up (default: 900)
  --keep DIR        work in DIR, new or empty, and leave the JSON of every part there (default: a temporary folder)
  --help            this text

Exit codes: 0 everything was measured; 1 a part failed; 2 bad usage.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
script=table
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

rounds=7 limit=900 keep=""
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --rounds|--limit|--keep) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  case "$1" in
    --rounds|--limit) is_count "$2" || bad_usage "$1 must be a number from 1, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
if [ -n "$keep" ]; then must_be_new --keep "$keep"; fi
work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-table-XXXXXX")}
mkdir -p "$work"
work=$(cd "$work" && pwd)
trap 'code=$?; if [ -z "$keep" ] && [ $code -eq 0 ]; then rm -rf "$work"; else echo "table: the parts are in $work" >&2; fi' EXIT

# measure NAME COMMAND...: the command's JSON into NAME.json.
measure() {
  local name=$1
  shift
  echo "table: $name ($SECONDS s)" >&2
  "$@" --json >"$work/$name.json" 2>"$work/$name.log" || { tail -n 20 "$work/$name.log" >&2; fail "$name failed"; }
}
round_trip() { # NAME ARGUMENTS...
  local name=$1
  shift
  measure "$name" "$repository/bench/round_trip/run.sh" --rounds "$rounds" "$@"
}
compare() { # NAME ARGUMENTS...
  local name=$1
  shift
  measure "$name" "$repository/bench/compare/run.sh" --rounds "$rounds" --limit "$limit" "$@"
}

# A row of rounds: | work | median | p95 | bare gRPC | ratio | MiB up | coordinator | worker | CPU of both and of bare gRPC |
row() { # LABEL FILE
  jq -L "$repository/bench/lib" -r --arg work "$1" '
    include "figures";
    (if .tools then .tools.entente else . end) |
    "| \($work) | \(.seconds_per_round_median | seconds_text) | \(.seconds_per_round_p95 | seconds_text) | \(.ceiling_seconds | seconds_text) | \(if .ratio_to_ceiling then .ratio_to_ceiling * 100 | round / 100 else "" end) | \(.bytes_up / 104857.6 | round / 10) MiB | \(.coordinator_peak_rss_bytes | whole_mib) | \(.worker_peak_rss_bytes | whole_mib) | \(.coordinator_cpu_seconds_per_round | seconds_text) | \(.workers_cpu_seconds_per_round | seconds_text) | \(.ceiling_cpu_seconds_per_round | seconds_text) |"
  ' "$work/$2.json"
}

# The first two have Entente's own rounds, and bare gRPC, too.
compare "25M-x-4" --parameters 25000000 --workers 4
compare "10M-x-8" --parameters 10000000 --workers 8
round_trip "25M-x-4-bf16" --parameters 25000000 --workers 4 --encoding bf16 --download bf16
round_trip "65k-x-4" --parameters 65000 --workers 4
for setting in "process --durability process" "bf16-up --encoding bf16" "int8-up --encoding int8" "zstd-int8 --encoding int8 --compression zstd" "topk-up --encoding topk"; do
  # shellcheck disable=SC2086
  round_trip "25M-x-4-${setting%% *}" --parameters 25000000 --workers 4 --no-ceiling ${setting#* }
done
round_trip "25M-x-32" --parameters 25000000 --workers 32 --no-ceiling
round_trip "250M-x-4" --parameters 250000000 --workers 4 --no-ceiling
echo "table: micro ($SECONDS s)" >&2
"$repository/bench/micro/run.sh" --benchmark_format=json >"$work/micro.json" 2>"$work/micro.log" || fail "micro failed; see $work/micro.log"
measure accuracy "$repository/bench/accuracy/run.sh" --encodings fp32,int8,topk:0.138:2bit,topk --seeds 1,2,3

echo "Of one run of bench/table/run.sh --rounds $rounds, $(date -u +%F), $(git -C "$repository" describe --always --dirty):"
echo
echo "| work | a round, median | p95 | bare gRPC, same bytes | ratio | up | coordinator's peak memory | largest worker's | CPU a round, coordinator | workers | bare gRPC |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
row "25 M x 4" 25M-x-4
row "10 M x 8" 10M-x-8
row "25 M x 4, \`bf16\` both ways" 25M-x-4-bf16
row "65 k x 4" 65k-x-4
row "25 M x 4, \`durability: process\`" 25M-x-4-process
row "25 M x 4, \`bf16\` up" 25M-x-4-bf16-up
row "25 M x 4, \`int8\` up" 25M-x-4-int8-up
row "25 M x 4, \`int8\` up, \`zstd\`" 25M-x-4-zstd-int8
row "25 M x 4, \`topk\` up" 25M-x-4-topk-up
row "25 M x 32" 25M-x-32
row "250 M x 4" 250M-x-4
echo
echo "| | a round, median | p95 | seconds beside ours | server's peak memory | beside ours |"
echo "| --- | --- | --- | --- | --- | --- |"
for work_name in 25M-x-4 10M-x-8; do
  jq -r --arg work "$work_name" '. as $all | .tools | to_entries[] | "| \($work), \(.key) \(.value.version // "") " + (.value |
    if .problem then "| \(.problem) | | | | |"
    else "| \(.seconds_per_round_median * 100 | round / 100) s | \(.seconds_per_round_p95 * 100 | round / 100) s " end) +
    ($all.ratios[.key] // null | if . then "| \(.seconds * 10 | round / 10) x " else "| " end) +
    (.value | if .problem then "" else "| \(.server_peak_rss_bytes / 1048576 | round) MiB |" end) +
    ($all.ratios[.key] // null | if . then " \(.server_rss * 10 | round / 10) x |" else " |" end)' "$work/$work_name.json"
done
echo
echo "| encoding, mean of three seeds | accuracy | below the first | bytes up | fewer |"
echo "| --- | --- | --- | --- | --- |"
jq -r 'def places($n): pow(10; $n) as $p | . * $p | round / $p;
  .encodings[] | "| \(.encoding) | \(.accuracy * 100 | places(2)) % | \(.points_lost | places(2)) points | \(.bytes_up / 1048576 | places(2)) MiB | \(.times_fewer_bytes | places(1)) x |"' "$work/accuracy.json"
echo
jq -r '.benchmarks[] | "| \(.name) | \((.bytes_per_second // 0) / 1e9 * 100 | round / 100) GB/s |"' "$work/micro.json"
