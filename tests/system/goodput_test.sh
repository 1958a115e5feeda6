#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# goodput_test.sh BIN [ROUNDS [TRAINING_SECONDS [FAULT_EVERY_SECONDS [SEED]]]]: how much of its time a federation keeps
# when things break all the time (default: 30 rounds of about a minute, a fault every 30 s). Two federations run the same
# job at the same time, each with its coordinator and three workers on machines of their own (network namespaces,
# a cable from each worker's to the coordinator's); every round needs every worker. One is left alone. In the other,
# at random times, the coordinator, a worker or a trainer is killed and started again at once, a cable is out for 1 to
# 8 s, or all connections of a machine are reset. Training takes fixed wall time and hardly any work
# (paced_trainer.py), with a checkpoint every 2 s. Prints how long each job took, their ratio, and how long it took until
# whoever was hit was attached again. From the environment: KINDS, those of coordinator, worker, trainer, cable and
# reset that befall it (default: all); MINIMUM, what the ratio must be at least (default: 0.97 for the kinds of the
# network; where a whole training must be taken up again 0.9).
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=goodput_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"
# shellcheck source-path=SCRIPTDIR source=network.sh
. "$repository/tests/system/network.sh"

bin=$1
rounds=${2:-30}
training_seconds=${3:-57}
fault_every=${4:-30}
seed=${5:-$((SRANDOM % 100000))}
read -r -a kinds <<<"${KINDS:-coordinator worker trainer cable reset}"
for kind in "${kinds[@]}"; do
  [[ "$kind" =~ ^(coordinator|worker|trainer|cable|reset)$ ]] ||
    bad_usage "KINDS are coordinator, worker, trainer, cable and reset, not '$kind'"
done
case " ${kinds[*]} " in
  *" worker "* | *" trainer "*) minimum=${MINIMUM:-0.9} ;;
  *) minimum=${MINIMUM:-0.97} ;;
esac
is_count "$rounds" || bad_usage "ROUNDS must be a number from 1, not '$rounds'"
is_count "$training_seconds" || bad_usage "TRAINING_SECONDS must be a number from 1, not '$training_seconds'"
is_count "$fault_every" || bad_usage "FAULT_EVERY_SECONDS must be a number from 1, not '$fault_every'"
is_number "$seed" || bad_usage "SEED must be a number, not '$seed'"
RANDOM=$seed
workers=(1 2 3)
host=10.77.0.1
need_namespaces

work=$(mktemp -d)
clean_up() {
  if [ "$1" -ne 0 ]; then
    tail -n 5 "$work"/*/*.log >&2 || true
    echo "seed $seed; see docs/reliability.md" >&2
  fi
  rm -rf "$work"
}
stop_at_end clean_up

certify_lab researcher "${workers[@]/#/w}"
"$bin/entente-bench-trainer" model 10000 "$work/model.safetensors"
policy_yaml researcher >"$work/policy.yaml"
cat >"$work/recipe.yaml" <<YAML
apiVersion: entente/v1
kind: Recipe
name: goodput
purpose: research on what faults cost
dataset: nothing
model:
  builtin: {architecture: mlp, inputShape: [1], outputs: 1}
  initialWeights: {file: $work/model.safetensors}
task: regression
training: {epochs: 1, batchSize: 1, optimizer: sgd, learningRate: 0.1, checkpointEvery: 2s}
rounds: $rounds
pacing:
  quorum: {count: ${#workers[@]}}
  attempts: 100
evaluation:
  everyRounds: 0
YAML

# ---- One federation ---------------------------------------------------------------------------------------

# Each runs in a subshell: what it sets is its own.

unplug_all() {
  local number
  for number in "${workers[@]}"; do ip netns del "$lab-$number" 2>/dev/null || true; done
  ip netns del "$hub" 2>/dev/null || true
}
# The coordinator's address is that of its machine, not of a cable.
plug_in() {
  local number
  ip netns add "$hub"
  ip -n "$hub" link set lo up
  ip -n "$hub" addr add "$host/32" dev lo
  for number in "${workers[@]}"; do
    ip netns add "$lab-$number"
    ip link add "lab$number" netns "$hub" type veth peer name hub netns "$lab-$number"
    ip -n "$hub" addr add "10.77.$number.1/24" dev "lab$number"
    ip -n "$hub" link set "lab$number" up
    ip -n "$lab-$number" addr add "10.77.$number.2/24" dev hub
    ip -n "$lab-$number" link set lo up
    ip -n "$lab-$number" link set hub up
    ip -n "$lab-$number" route add default via "10.77.$number.1"
  done
}
start_paced_worker() { # NUMBER
  start ip netns exec "$lab-$1" "$bin/entente-worker" --config "$folder/worker-$1.yaml" --log-format json >>"$folder/worker-$1.log" 2>&1
  worker_pid[$1]=$started
}
# note WHAT NUMBER: what befell whom; the number 0 means all workers.
note() { jq -n -c --arg what "$1" --argjson number "$2" --arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" '{$time, $what, $number}' >>"$folder/faults.jsonl"; }

strike() {
  local number=${workers[$((RANDOM % ${#workers[@]}))]} trainer
  case ${kinds[$((RANDOM % ${#kinds[@]}))]} in
    coordinator)
      note "coordinator killed" 0
      kill_now "$coordinator"
      start ip netns exec "$hub" "$bin/entente-coordinator" --config "$folder/coordinator.yaml" --log-format json >>"$folder/coordinator.log" 2>&1
      coordinator=$started
      ;;
    worker)
      note "worker killed" "$number"
      kill_now "${worker_pid[$number]}"
      start_paced_worker "$number"
      ;;
    trainer)
      trainer=$(trainer_of "${worker_pid[$number]}" python3)
      note "trainer killed" "$number"
      if [ -n "$trainer" ]; then kill -KILL "$trainer" 2>/dev/null || true; fi
      ;;
    cable)
      ip -n "$hub" link set "lab$number" down
      sleep $((1 + RANDOM % 8))
      ip -n "$hub" link set "lab$number" up
      note "cable back" "$number"
      ;;
    reset)
      note "connections reset" "$number"
      ip netns exec "$lab-$number" ss --tcp --kill state established dst "$host" >/dev/null
      ;;
  esac
}

# federation NAME FAULT_EVERY_SECONDS: runs the job; how long it took is in the file `milliseconds`. 0: no faults.
federation() {
  hub="entente-$1-$$" lab="entente-$1-$$-lab"
  folder="$work/$1"
  pids=()
  mkdir -p "$folder/coordinator"
  : >"$folder/faults.jsonl"
  stop_at_end unplug_all
  plug_in
  coordinator_yaml "$host:7443" "$folder/coordinator" >"$folder/coordinator.yaml"
  coordinator_prefix=(ip netns exec "$hub")
  start_coordinator "$folder/coordinator.yaml" "$folder/coordinator" "$folder/coordinator.log" researcher --log-format json
  as_submitter=(ip netns exec "$hub" "${as_submitter[@]}")
  local number
  for number in "${workers[@]}"; do
    mkdir -p "$folder/data/$number"
    echo "$number" >"$folder/data/$number/train.csv"
    {
      worker_yaml lab "w$number" "$folder/work/$number" "$work/policy.yaml" nothing csv "$folder/data/$number"
      echo "trainer:"
      echo "  command: [/usr/bin/python3, $work/paced_trainer.py, \"$training_seconds\"]"
      echo "  readOnlyPaths: [$work/paced_trainer.py]"
    } >"$folder/worker-$number.yaml"
    start_paced_worker "$number"
  done
  await_attached ${#workers[@]}
  local job began=$(($(date +%s%N) / 1000000))
  submit_recipe
  start "${as_submitter[@]}" job watch "$job" >"$folder/watch.log" 2>&1
  local watch=$started strike_at=$((SECONDS + $2))
  while kill -0 "$watch" 2>/dev/null; do
    sleep 0.2
    if [ "$2" -eq 0 ] || [ "$SECONDS" -lt "$strike_at" ]; then continue; fi
    strike
    strike_at=$((strike_at + 1 + RANDOM % (2 * $2 - 1)))
  done
  finish "$watch" || fail "the $1 job did not complete: $(tail -n 2 "$folder/watch.log")"
  echo $(($(date +%s%N) / 1000000 - began)) >"$folder/milliseconds"
  "${as_submitter[@]}" job show "$job" -o json | jq -r .modelDigest >"$folder/model"
}

cp "$(dirname "$0")/paced_trainer.py" "$work/paced_trainer.py"
echo "seed $seed: $rounds rounds of $training_seconds s of training, a fault every $fault_every s"
(federation calm 0) &
calm=$!
(federation disturbed "$fault_every") &
disturbed=$!
pids+=("$calm" "$disturbed")
finish "$calm" || fail "the undisturbed federation failed"
finish "$disturbed" || fail "the disturbed federation failed"

# ---- What it cost -----------------------------------------------------------------------------------------

[ "$(cat "$work/calm/model")" = "$(cat "$work/disturbed/model")" ] || fail "the disturbed job ended with another model"
# Of each fault and each worker that it hit: the first time that the worker attached before the next fault hit it. If it
# did not, its connection had held.
for number in "${workers[@]}"; do
  jq -L "$repository/bench/lib" -n -c --argjson number "$number" --slurpfile faults "$work/disturbed/faults.jsonl" --slurpfile lines "$work/disturbed/worker-$number.log" '
    include "figures";
    [$lines[] | select(.message == "attached") | .time | seconds] as $back |
    [$faults[] | select(.number == 0 or .number == $number) | {what, at: (.time | seconds)}] as $mine |
    range($mine | length) as $i | $mine[$i] as $fault | ($mine[$i + 1].at // infinite) as $next |
    select($fault.what != "trainer killed") |
    {what: $fault.what, seconds: ([$back[] | select(. > $fault.at and . < $next) | . - $fault.at] | first)}'
done | jq -L "$repository/bench/lib" -s -r '
  include "figures";
  def summary: map(.seconds | select(. != null)) as $taken |
    if $taken == [] then "held" else "attached again after p50 \($taken | quantile(0.5) | round2) s, p99 \($taken | quantile(0.99) | round2) s (\($taken | length) times; \(length - ($taken | length)) held)" end;
  (group_by(.what)[] | "\(.[0].what): \(summary)"), "all: \(summary)"'
jq -s -r 'group_by(.what) | map("\(length) \(.[0].what)") | "\(map(split(" ")[0] | tonumber) | add) faults: \(join(", "))"' "$work/disturbed/faults.jsonl"
awk -v calm="$(cat "$work/calm/milliseconds")" -v disturbed="$(cat "$work/disturbed/milliseconds")" -v minimum="$minimum" 'BEGIN {
  printf "undisturbed %.1f s, disturbed %.1f s: goodput %.1f %%\n", calm / 1000, disturbed / 1000, 100 * calm / disturbed
  exit calm / disturbed < minimum }' || fail "the goodput is below $minimum"
