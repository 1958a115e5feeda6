#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crash_loop_test.sh BIN [KILLS [SECONDS [SEED]]]: the quickstart's five members, data and recipe, broken off at random
# times: SIGKILL KILLS times (default 50) for the coordinator and as often for workers and trainers, all in one job, and a
# quarter as often SIGTERM for the coordinator in the middle of its work, whose drain must come to its end. Each is started
# again at once, and every round needs every worker. If the job has ended before SECONDS (default 300) have passed, another
# one is broken off as often. Every job completes with the model of a run that nobody disturbed, bit for bit, and a watch
# that was open all the time says so. Updates are encoded as topk, so that what a worker carries from round to round must
# survive as well. Prints the seed, the kills, the attempts that were aborted and how long it took until what was killed was
# back.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=crash_loop_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

bin=$1
kills=${2:-50}
seconds_min=${3:-300}
seed=${4:-$((SRANDOM % 100000))}
is_count "$kills" || bad_usage "KILLS must be a number from 1, not '$kills'"
is_count "$seconds_min" || bad_usage "SECONDS must be a number from 1, not '$seconds_min'"
is_number "$seed" || bad_usage "SEED must be a number, not '$seed'"
RANDOM=$seed
drains=$(((kills + 3) / 4))
breaks=$((2 * kills + drains))
# Two rounds for three of them, which the loop below sees to; and some more, so that the job does not end before they do.
broken_rounds=$(((2 * breaks + 2) / 3))
rounds=$((broken_rounds + 3))

work=$(mktemp -d)
mkdir "$work/logs"
clean_up() {
  if [ "$1" -ne 0 ]; then
    tail -n 5 "$work"/*/*.log "$work"/*/logs/*.log >&2 || true
    echo "seed $seed; see docs/reliability.md" >&2
  fi
  rm -rf "$work"
}
stop_at_end clean_up

five_members
pki="$work/pki"
certify_five >"$work/logs/pki.log"
split_images "$work" 1
five_recipe "$rounds" 1 | sed -e 's/^\( *\)attempts:.*/\1attempts: 100/' -e 's/^\( *\)encoding:.*/\1encoding: topk/' >"$work/recipe.yaml"

# begin FOLDER: a federation of its own there.
begin() {
  mkdir -p "$1/logs"
  cp -a "$work/data" "$1/data"
  start_five "$1" 0 --log-format json
}
submit() { job=$("${as_submitter[@]}" job submit "$work/recipe.yaml" --token "$1" -o json | jq -r .job.id); }
model_of_job() { "${as_submitter[@]}" job show "$job" -o json | jq -r 'if .state == "completed" then .modelDigest else "none, the job is " + .state end'; }
attempts_of_job() {
  "${as_submitter[@]}" round list "$job" -o json | jq -r '
    def count_in($phase): map(select(.phase == $phase)) | length;
    .rounds | "\(count_in("committed")) rounds, \(count_in("aborted")) attempts aborted"'
}

# ---- Undisturbed ----------------------------------------------------------------------------------------

echo "seed $seed: $rounds rounds, $kills kills of the coordinator and $kills of workers and trainers, $drains drains"
begin "$work/calm"
submit calm
began=$(date +%s%N)
run "${as_submitter[@]}" job watch "$job" >"$work/calm/watch.log" 2>&1 || fail "the undisturbed job did not complete"
round_milliseconds=$((($(date +%s%N) - began) / 1000000 / rounds))
undisturbed=$(model_of_job)
stop_all
echo "undisturbed: $round_milliseconds ms a round, model $undisturbed"

# ---- Disturbed ------------------------------------------------------------------------------------------

folder="$work/disturbed"
begin "$folder"

# note WHAT WHO: just before it, by the clock that the logs have.
note() { jq -n -c --arg what "$1" --arg who "$2" --arg time "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" '{$time, $what, $who}' >>"$folder/kills.jsonl"; }
end_by_force() { kill_now "$1" 2>/dev/null || fail "$2 ended by itself"; } # PID NAME
has_ended() { ! kill -0 "$1" 2>/dev/null; }
drain() { # PID NAME
  local code=0
  kill -TERM "$1" 2>/dev/null || fail "$2 ended by itself"
  await_that 60 "$2 drains" has_ended "$1"
  finish "$1" || code=$?
  # By the signal itself, if it has just been started and does not listen for it yet.
  [ "$code" -eq 0 ] || [ "$code" -eq 143 ] || fail "$2 ended with $code after SIGTERM"
}
breaks_done() { echo $((coordinator_kills + coordinator_drains + worker_kills + trainer_kills)); }
# is_ahead BY: whether so many breaks more are done than the rounds ask for.
is_ahead() { [ $((($(breaks_done) - $1) * broken_rounds)) -ge $(($(rounds_committed "$watch_log") * breaks)) ]; }
# Until the next break: at a random time, three in two rounds on average. Who is behind does not pause; disturbed rounds
# take longer than undisturbed ones, so who is far ahead waits for them.
pause() {
  is_ahead 0 || return 0
  sleep "$(awk -v ms=$((RANDOM * 4 * round_milliseconds / 3 / 32768)) 'BEGIN { print ms / 1000 }')"
  local until=$((SECONDS + 300))
  while is_ahead 3 && ! has_ended "$watch"; do
    [ "$SECONDS" -lt "$until" ] || fail "no round was committed in the five minutes after a kill"
    sleep 0.1
  done
}

break_coordinator() {
  local left=$((kills + drains - coordinator_kills - coordinator_drains))
  if [ $((RANDOM % left)) -lt $((drains - coordinator_drains)) ]; then
    note "coordinator stopped" coordinator
    drain "$coordinator" "the coordinator"
    coordinator_drains=$((coordinator_drains + 1))
  else
    note "coordinator killed" coordinator
    end_by_force "$coordinator" "the coordinator"
    coordinator_kills=$((coordinator_kills + 1))
  fi
  start "$bin/entente-coordinator" --config "$folder/coordinator.yaml" --log-format json >>"$folder/logs/coordinator.log" 2>&1
  coordinator=$started
}
break_member() {
  local member=${members[$((RANDOM % ${#members[@]}))]} trainer=""
  if [ $((RANDOM % 2)) = 0 ]; then trainer=$(trainer_of "${worker_pid[$member]}" entente-trainer); fi
  if [ -n "$trainer" ]; then
    note "trainer killed" "$member"
    kill -KILL "$trainer" 2>/dev/null || true
    trainer_kills=$((trainer_kills + 1))
  else
    note "worker killed" "$member"
    end_by_force "${worker_pid[$member]}" "worker $member"
    start_one_of_five "$folder" "$member" --log-format json
    worker_kills=$((worker_kills + 1))
  fi
}
# disturb_job NUMBER: one job, with all its breaks, to its end.
disturb_job() {
  coordinator_kills=0 coordinator_drains=0 worker_kills=0 trainer_kills=0
  watch_log="$folder/watch-$1.log"
  submit "crash-loop-$1"
  start "${as_submitter[@]}" job watch "$job" >"$watch_log" 2>&1
  watch=$started
  local coordinator_left members_left
  while [ "$(breaks_done)" -lt "$breaks" ]; do
    pause
    if has_ended "$watch"; then fail "the job, or its watch, ended after only $(breaks_done) of $breaks breaks: $(tail -n 3 "$watch_log")"; fi
    coordinator_left=$((kills + drains - coordinator_kills - coordinator_drains))
    members_left=$((kills - worker_kills - trainer_kills))
    if [ "$members_left" -eq 0 ] || { [ "$coordinator_left" -gt 0 ] && [ $((RANDOM % 2)) = 0 ]; }; then
      break_coordinator
    else
      break_member
    fi
  done
  finish "$watch" || fail "the watch ended with an error: $(tail -n 3 "$watch_log")"
  echo "killed: coordinator $coordinator_kills, workers $worker_kills, trainers $trainer_kills times; coordinator stopped $coordinator_drains times; $(attempts_of_job)"
  disturbed=$(model_of_job)
  [ "$disturbed" = "$undisturbed" ] || fail "the model is $disturbed, undisturbed $undisturbed"
}

began=$SECONDS
number=0
while [ $((SECONDS - began)) -lt "$seconds_min" ]; do
  number=$((number + 1))
  disturb_job "$number"
done

# ---- How soon each was back -------------------------------------------------------------------------------

# From the kill to the next line that says that it is back: of the coordinator's, each worker's `attached`.
for member in "${members[@]}"; do
  jq -L "$repository/bench/lib" -n -c --arg member "$member" --slurpfile kills "$folder/kills.jsonl" --slurpfile lines "$folder/logs/$member.log" '
    include "figures";
    ($lines | map(select(.message == "attached" or .message == "trainer started") | {message, at: (.time | seconds)})) as $back |
    $kills[] | select(.who == "coordinator" or .who == $member) | (.time | seconds) as $at |
    (if .what == "trainer killed" then "trainer started" else "attached" end) as $sign |
    {what, seconds: ([$back[] | select(.message == $sign and .at > $at) | .at - $at] | first)}'
done | jq -L "$repository/bench/lib" -s -r '
  include "figures";
  group_by(.what)[] | map(.seconds | select(. != null)) as $taken | select($taken != []) |
  "\(.[0].what): back after p50 \($taken | quantile(0.5) | round2) s, p99 \($taken | quantile(0.99) | round2) s"'
echo "the model is the same, bit for bit, of $number jobs in $((SECONDS - began)) s: $disturbed"
