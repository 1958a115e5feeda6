#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crash_loop_test.sh BIN [KILLS [SEED]]: SIGKILL at random times, KILLS times (default 50) for the coordinator and as often
# for workers and trainers, in one job whose every round needs every worker. Each is started again at once. The job
# completes with the model of a run that nobody disturbed, bit for bit, and a watch that was open all the time says so.
# Updates are encoded as topk, so that what a worker carries from round to round must survive as well. Prints the seed,
# the kills and how long it took until what was killed was back.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=crash_loop_test
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

bin=$1
kills=${2:-50}
seed=${3:-$((SRANDOM % 100000))}
is_count "$kills" || bad_usage "KILLS must be a number from 1, not '$kills'"
is_number "$seed" || bad_usage "SEED must be a number, not '$seed'"
RANDOM=$seed
# Three rounds for two kills: the loop below sees to it that the kills keep up.
rounds=$((kills * 3))
members=(fr-lab jp-lab br-lab)

work=$(mktemp -d)
clean_up() {
  if [ "$1" -ne 0 ]; then
    tail -n 5 "$work"/*/*.log >&2 || true
    echo "seed $seed; see docs/reliability.md" >&2
  fi
  rm -rf "$work"
}
stop_at_end clean_up

pki="$work/pki"
{
  certify_alliance researcher
  for member in "${members[@]}"; do certify_member "$member" w; done
} >"$work/pki.log"
for member in "${members[@]}"; do
  mkdir -p "$work/data/$member"
  awk -v salt="${#member}$(printf '%d' "'$member")" 'BEGIN { print "x,y,class"; for (i = 0; i < 3000; i++) {
    x = (i * (37 + salt % 7) % 1009) / 504 - 1; y = (i * 53 % 1013) / 506 - 1; print x "," y "," (x * x + y * y > 0.6) } }' >"$work/data/$member/train.csv"
  head -n 200 "$work/data/$member/train.csv" >"$work/data/$member/held-out.csv"
done
policy_yaml researcher >"$work/policy.yaml"
cat >"$work/recipe.yaml" <<YAML
apiVersion: entente/v1
kind: Recipe
name: crash-loop
purpose: research on what survives
dataset: table
model: {builtin: {architecture: mlp, inputShape: [2], outputs: 2, hidden: [64, 64]}}
task: classification
training: {epochs: 3, batchSize: 16, learningRate: 0.05}
rounds: $rounds
pacing:
  quorum: {count: ${#members[@]}}
  attempts: 100
updates: {encoding: topk}
evaluation: {everyRounds: 10}
YAML

# ---- Start and submit -----------------------------------------------------------------------------------

declare -A worker_pid=()
start_worker() { # FOLDER MEMBER
  start "$bin/entente-worker" --config "$1/$2.yaml" --log-format json >>"$1/$2.log" 2>&1
  worker_pid[$2]=$started
}
# begin FOLDER: a federation of its own there, with the job submitted.
begin() {
  mkdir -p "$1"
  coordinator_yaml 127.0.0.1:0 "$1/coordinator" >"$1/coordinator.yaml"
  start_coordinator "$1/coordinator.yaml" "$1/coordinator" "$1/coordinator.log" researcher --log-format json
  local member
  for member in "${members[@]}"; do
    worker_yaml "$member" w "$1/work/$member" "$work/policy.yaml" table csv "$work/data/$member" >"$1/$member.yaml"
    start_worker "$1" "$member"
  done
  await_attached ${#members[@]}
  job=$("${as_submitter[@]}" job submit "$work/recipe.yaml" --token crash-loop -o json | jq -r .job.id)
}
model_of_job() { "${as_submitter[@]}" job show "$job" -o json | jq -r 'if .state == "completed" then .modelDigest else "none, the job is " + .state end'; }

# ---- Undisturbed ----------------------------------------------------------------------------------------

echo "seed $seed: $rounds rounds, $kills kills of the coordinator and $kills of workers and trainers"
begin "$work/calm"
began=$(date +%s%N)
run "${as_submitter[@]}" job watch "$job" >"$work/calm/watch.log" 2>&1 || fail "the undisturbed job did not complete"
round_milliseconds=$((($(date +%s%N) - began) / 1000000 / rounds))
undisturbed=$(model_of_job)
stop_all
echo "undisturbed: $round_milliseconds ms a round, model $undisturbed"

# ---- Disturbed ------------------------------------------------------------------------------------------

folder="$work/disturbed"
begin "$folder"
start "${as_submitter[@]}" job watch "$job" >"$folder/watch.log" 2>&1
watch=$started
sed -i "s/^listen: .*/listen: 127.0.0.1:$port/" "$folder/coordinator.yaml"

# note WHAT WHO: just before the kill, by the clock that the logs have.
note() { jq -n -c --arg what "$1" --arg who "$2" --arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" '{$time, $what, $who}' >>"$folder/kills.jsonl"; }
end_by_force() { # PID NAME
  kill -0 "$1" 2>/dev/null || fail "$2 ended by itself"
  kill -KILL "$1"
  finish "$1" 2>/dev/null || true
}
job_has_ended() { grep -q '"message":"job ended"' "$folder/coordinator.log"; }
# is_ahead BY: whether so many kills more are done than the rounds ask for, if both are to end together.
is_ahead() {
  local committed  # The number of the newest: a coordinator that starts again logs them all once more.
  committed=$(sed -n 's/.*"message":"round committed".*"round":\([0-9]*\),.*/\1/p' "$folder/coordinator.log" | sort -n | tail -n 1)
  [ $(((coordinator_kills + worker_kills + trainer_kills - $1) * rounds)) -ge $((${committed:-0} * 2 * kills)) ]
}
# Until the next kill: at a random time, one a round on average. A kill takes this script as long as a round takes a fast
# machine, so who is behind does not pause; on a slow one rounds take many times as long as undisturbed, so who is far
# ahead waits for them.
pause() {
  is_ahead 0 || return 0
  sleep "$(awk -v ms=$((RANDOM * 2 * round_milliseconds / 32768)) 'BEGIN { print ms / 1000 }')"
  local until=$((SECONDS + 300))
  while is_ahead 3; do
    [ "$SECONDS" -lt "$until" ] || fail "no round was committed in the five minutes after a kill"
    sleep 0.1
  done
}

coordinator_kills=0 worker_kills=0 trainer_kills=0
while [ $((coordinator_kills + worker_kills + trainer_kills)) -lt $((2 * kills)) ]; do
  pause
  job_has_ended && fail "the job ended after only $((coordinator_kills + worker_kills + trainer_kills)) kills"
  if [ $((RANDOM % 2)) = 0 ] && [ "$coordinator_kills" -lt "$kills" ] || [ $((worker_kills + trainer_kills)) -ge "$kills" ]; then
    note coordinator coordinator
    end_by_force "$coordinator" "the coordinator"
    start "$bin/entente-coordinator" --config "$folder/coordinator.yaml" --log-format json >>"$folder/coordinator.log" 2>&1
    coordinator=$started
    coordinator_kills=$((coordinator_kills + 1))
    continue
  fi
  member=${members[$((RANDOM % ${#members[@]}))]}
  trainer=""
  if [ $((RANDOM % 2)) = 0 ]; then trainer=$(trainer_of "${worker_pid[$member]}" entente-trainer); fi
  if [ -n "$trainer" ]; then
    note trainer "$member"
    kill -KILL "$trainer" 2>/dev/null || true
    trainer_kills=$((trainer_kills + 1))
  else
    note worker "$member"
    end_by_force "${worker_pid[$member]}" "worker $member"
    start_worker "$folder" "$member"
    worker_kills=$((worker_kills + 1))
  fi
done
echo "killed: coordinator $coordinator_kills, workers $worker_kills, trainers $trainer_kills times"
finish "$watch" || fail "the watch ended with an error: $(tail -n 3 "$folder/watch.log")"
disturbed=$(model_of_job)

# ---- What must be true ----------------------------------------------------------------------------------

[ "$disturbed" = "$undisturbed" ] || fail "the model is $disturbed, undisturbed $undisturbed"
"${as_submitter[@]}" round list "$job" -o json >"$folder/rounds.json"
# From the kill to the next line that says that it is back: of the coordinator's, each worker's `attached`.
for member in "${members[@]}"; do
  jq -n -c --arg member "$member" --slurpfile kills "$folder/kills.jsonl" --slurpfile lines "$folder/$member.log" '
    def seconds: capture("^(?<whole>[^.]+)(\\.(?<part>[0-9]+))?Z$") | ((.whole + "Z") | fromdate) + (("0." + (.part // "0")) | tonumber);
    ($lines | map(select(.message == "attached" or .message == "trainer started") | {message, at: (.time | seconds)})) as $back |
    $kills[] | select(.what == "coordinator" or .who == $member) | (.time | seconds) as $at |
    (if .what == "trainer" then "trainer started" else "attached" end) as $sign |
    {what, seconds: ([$back[] | select(.message == $sign and .at > $at) | .at - $at] | first)}'
done | jq -s -r '
  def quantile($q): sort | .[([((length * $q) | ceil) - 1, 0] | max)] | . * 100 | round / 100;
  group_by(.what)[] | map(.seconds | select(. != null)) as $taken | select($taken != []) |
  "back after a kill of a \(.[0].what): p50 \($taken | quantile(0.5)) s, p99 \($taken | quantile(0.99)) s"'
echo "the model is the same, bit for bit: $disturbed"
