#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# four_gib_test.sh [BIN]: a model of 2^30 float32 parameters, 4 GiB, goes from a coordinator to two workers, an update
# of the same size comes back from each, and their mean is the next model. The coordinator has 1 GiB of memory, each
# worker 1 GiB together with its trainer. No option of configuration or recipe is set for it. BIN is the folder of the
# programs; without it the preset `release` is built. Takes 48 GiB of disk while it runs, in $TMPDIR or /var/tmp.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=four_gib_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

parameters=$((1 << 30))
memory_bytes_max=$((1 << 30))
workers=2
disk_gib_needed=48

skip() { echo "skipped: $*"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/var/tmp}/entente-four-gib-XXXXXX")
groups=()
clean_up() {
  local group
  for group in "${groups[@]}"; do rmdir "$group" || true; done
  show_logs_and_remove 20 "$1"
}
stop_at_end clean_up
[ "$(df --output=avail -BG "$work" | tail -n 1 | tr -dc 0-9)" -ge "$disk_gib_needed" ] ||
  skip "$disk_gib_needed GiB of disk are needed in $work"

# ---- Limits ---------------------------------------------------------------------------------------------

# limit NAME: sets the array `prefix` to what starts a program under the limit. A control group counts the page
# cache as well, which the kernel takes back when it must; where none may be made, what a process allocates is
# limited.
limit() {
  local root group
  for root in /sys/fs/cgroup/memory:memory.limit_in_bytes /sys/fs/cgroup:memory.max; do
    group="${root%%:*}/entente-$$-$1"
    if [ -w "${root%%:*}" ] && mkdir "$group" 2>/dev/null; then
      groups+=("$group")
      if echo "$memory_bytes_max" 2>/dev/null >"$group/${root#*:}"; then
        # shellcheck disable=SC2016
        prefix=(bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
        limited_by="control groups, page cache included"
        return
      fi
    fi
  done
  prefix=(prlimit "--data=$memory_bytes_max")
  limited_by="RLIMIT_DATA of each process, for no control group may be made here"
}

if [ $# -ge 1 ]; then bin=$1; else build_programs release "$work/build.log" -DENTENTE_BUILD_BENCH=ON; fi
certify_lab researcher w1 w2
"$bin/entente-bench-trainer" model "$parameters" "$work/model.safetensors"

coordinator_yaml 127.0.0.1:0 "$work/coordinator" >"$work/coordinator.yaml"
limit coordinator
coordinator_prefix=("${prefix[@]}")
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
echo "each limited to $memory_bytes_max bytes by $limited_by"
worker_pids=()
for ((i = 1; i <= workers; ++i)); do
  limit "w$i"
  start_idle_worker "$i" "$work" researcher "${prefix[@]}"
  worker_pids+=("$started")
done
await_attached "$workers"

# ---- The round ------------------------------------------------------------------------------------------

idle_recipe "$work/model.safetensors" 1 "$workers" >"$work/recipe.yaml"
began=$SECONDS
submit_recipe
echo "submitted after $((SECONDS - began)) s"
run "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1 || {
  "${as_submitter[@]}" round show "$job" >&2 || true
  fail "the job did not complete"
}
echo "one round in $((SECONDS - began)) s with the submission"
echo "peak memory: coordinator $(peak_bytes "$coordinator") bytes, workers $(for pid in "${worker_pids[@]}"; do peak_bytes "$pid"; done | xargs)"

# ---- What must be true ----------------------------------------------------------------------------------

"${as_submitter[@]}" job show "$job" -o json >"$work/job.json"
jq -e --argjson bytes $((parameters * 4 * workers)) \
  '(.bytesUp | tonumber) > $bytes and (.bytesUp | tonumber) < $bytes * 1.001 and (.bytesDown | tonumber) > $bytes and (.bytesDown | tonumber) < $bytes * 1.001' \
  "$work/job.json" >/dev/null || fail "other bytes than $workers x 4 GiB each way: $(cat "$work/job.json")"

# The number at an offset from the end of a file; every file here ends in the same tensors.
number_at() { od -A n -t f4 -j $(($(stat -c %s "$1") - 4 * $2)) -N 4 "$1"; }
next="$work/coordinator/models/$(jq -r .modelDigest "$work/job.json")"
# The trainer's generator repeats itself after 2^30 numbers, whatever its seed, so the very last ones are alike.
for from_end in 2 1000000 $((parameters / 2)) $((parameters / 2 + 1)) $((parameters - 7)) "$parameters"; do
  values=$(number_at "$work/model.safetensors" "$from_end"
    for ((i = 1; i <= workers; ++i)); do number_at "$work/work/$i/trainer/made" "$from_end"; done
    number_at "$next" "$from_end")
  # shellcheck disable=SC2086
  awk -v from_end="$from_end" 'NF == 1 { v[NR] = $1 } END {
    difference = v[4] - (v[1] + (v[2] + v[3]) / 2)
    if (NR != 4 || v[2] == v[3] || difference > 2e-9 || difference < -2e-9) { print "number " from_end " from the end: " v[1] ", " v[2] ", " v[3] " became " v[4]; exit 1 }
  }' <<<"$values" || fail "the next model is not the base model and the mean of the updates"
done
echo "4 GiB went to $workers workers, 4 GiB came back from each, and their mean is the next model"
