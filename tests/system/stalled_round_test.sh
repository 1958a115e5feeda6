#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# stalled_round_test.sh BIN: docs/operations.md, "A round stands still", as an operator walks it: a worker's line to the
# coordinator is cut in the middle of a round, and metrics, top, round show, the dashboard, doctor and the logs say in
# turn that a round stalls, whose it waits for, and what is in the way. The line comes back, and so does the round.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=stalled_round_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"
# shellcheck source-path=SCRIPTDIR source=network.sh
. "$repository/tests/system/network.sh"

bin=$1
work=$(mktemp -d)
stop_at_end show_logs_and_remove 5

# ---- Two workers, one of them behind a line that can be cut ---------------------------------------------------

certify_lab researcher w1 w2
coordinator_yaml 127.0.0.1:0 "$work/coordinator" >"$work/coordinator.yaml"
echo "heartbeatInterval: 1s" >>"$work/coordinator.yaml"
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
line_port=$(free_port)
lay_line() {
  start python3 "$repository/tests/system/line_proxy.py" "$line_port" 127.0.0.1 "$coordinator_port" 0 >"$work/line.txt" 2>"$work/line.log"
  line=$started
  await_that 60 "the line is there" grep -q listening "$work/line.txt"
}
coordinator_port=$port
lay_line
port=$line_port
start_idle_worker 1 "$work" researcher
first_worker=$started
port=$coordinator_port
start_idle_worker 2 "$work" researcher
await_attached 2
"$bin/entente-bench-trainer" model 1000 "$work/model.safetensors"
idle_recipe "$work/model.safetensors" 100000 2 | sed 's/^pacing:$/&\n  lease: 5s/' >"$work/recipe.yaml"
submit_recipe
start "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1
has_committed() { [ "$(rounds_committed "$work/watch.log")" -ge "$1" ]; }
await_that 120 "three rounds are committed" has_committed 3

# ---- The line is cut while the round waits for that worker alone ------------------------------------------------

# shows WHAT COMMAND...: whether a line of what the command prints fits.
shows() {
  local what=$1
  shift
  "$@" >"$work/shown.txt" 2>&1 || true
  grep -Eq -- "$what" "$work/shown.txt"
}
round_shows() { shows "$1" "${as_submitter[@]}" round show "$job"; }
# Its trainer stands still, so that the round does.
trainer=$(trainer_of "$first_worker" entente-bench-t)
[ -n "$trainer" ] || fail "the first worker has no trainer"
kill -STOP "$trainer"
waits_for_training() { round_shows '^waiting +waiting for lab/w1 \((preparing|training)[^)]*\); 1 of 2 in, 2 needed; closes in '; }
# Twice, for the first may be of a moment before.
await_that 120 "the round waits for the first worker" waits_for_training
sleep 2
await_that 120 "the round still waits for the first worker" waits_for_training
kill_now "$line"

# ---- The walk ---------------------------------------------------------------------------------------------------

# 1. What the alerts are made of.
metric() { curl -sf "${dashboard}metrics" | awk -v name="$1" -v least="$2" '$1 == name {found = $2 >= least} END {exit !found}'; }
await_that 120 "a quorum is at risk" metric entente_rounds_quorum_at_risk 1
await_that 120 "a worker is gone" metric 'entente_workers{member="lab",state="detached"}' 1
await_that 120 "a round is silent" metric 'entente_round_silence_seconds{phase="collecting"}' 3

# 2. Which job, and who.
await_that 60 "top shows who is gone" shows '  lab/w1  gone .* (the connection ended|silent for .*)$' "${as_submitter[@]}" top --once
shows "FEDERATION  1 member, 1 of 2 workers connected" "${as_submitter[@]}" top --once || fail "top shows: $(cat "$work/shown.txt")"

# 3. What the round waits for.
waiting='waiting for lab/w1 \(missing\); 1 of 2 in, 2 needed; closes in [0-9hms.]+, (at|on) .*, or when all are in'
await_that 60 "the round waits for who is missing" round_shows "^waiting +$waiting\$"
round_shows '^phase +collecting: 1 of 2 needed updates are in$' || fail "round show: $(cat "$work/shown.txt")"
round_shows 'lab/w1 +missing .* was silent for its lease of 5s(; not attached since .* UTC)?$' || fail "round show: $(cat "$work/shown.txt")"
curl -sf "${dashboard}api/jobs/$job" | jq -r .job.round.waitingFor >"$work/dashboard.txt"
grep -Eq "^$waiting\$" "$work/dashboard.txt" || fail "the dashboard says: $(cat "$work/dashboard.txt")"

# 4. The way to the coordinator.
code=0
"$bin/entente" doctor --config "$work/worker-1.yaml" >"$work/doctor.txt" 2>&1 || code=$?
[ "$code" -eq 1 ] || fail "doctor ends with $code: $(cat "$work/doctor.txt")"
grep -q "^ok    worker  *runs: $work/.* is locked by process [0-9]*\$" "$work/doctor.txt" ||
  fail "doctor does not know that the worker runs: $(cat "$work/doctor.txt")"
grep -q "^FAIL  port  *127.0.0.1 port $line_port refuses connections; is the coordinator running there, and is the port right?\$" "$work/doctor.txt" ||
  fail "doctor does not name the cause: $(cat "$work/doctor.txt")"

# 5. What happened, on both sides.
trace=$("${as_submitter[@]}" job show "$job" -o json | jq -r .traceId)
[[ "$trace" =~ ^[0-9a-f]{32}$ ]] || fail "the job has no trace: '$trace'"
round=$("${as_submitter[@]}" round show "$job" -o json | jq '(.roundIndex // 0) + 1')
grep "$trace" "$work/coordinator.log" | grep -Eq "warning worker missing  job=$job  round=$round  worker=lab/w1  reason=\"was silent for its lease of 5s(; not attached since [^\"]* UTC)?\"  trace=" ||
  fail "the coordinator's log does not have who is missing under the job's trace"
grep "$trace" "$work/worker-1.log" | grep -Eq "info    task started  task=train  job=$job  round=$round  attempt=1  worker=lab/w1  trace=" ||
  fail "the worker's log does not have its task under the job's trace"
await_that 60 "the worker's log says why it cannot connect" grep -q "warning not attached to the coordinator; trying again until it works  coordinator=127.0.0.1:$line_port  reason=\"127.0.0.1 port $line_port refuses connections;" "$work/worker-1.log"
if grep "reason=\"failed to connect" "$work/worker-1.log"; then fail "the worker's log leaves it at gRPC's own words"; fi

# 6. Afterwards.
committed=$(rounds_committed "$work/watch.log")
kill -CONT "$trainer" 2>/dev/null || true
lay_line
await_that 180 "rounds go on" has_committed $((committed + 2))
await_attached 2
curl -sf "${dashboard}api/events?job=$job&worker=lab/w1&text=missing" | jq -r '.lines[].sentence' >"$work/events.txt"
grep -Eqx "lab/w1 is missing: was silent for its lease of 5s(; not attached since .* UTC)?" "$work/events.txt" || fail "the journal does not say who was missing: $(cat "$work/events.txt")"
# Whether it attaches first, and is back, or its update comes first: the update of that round counts.
"${as_submitter[@]}" round show "$job" "$round" -o json >"$work/round.json"
jq -e '.participants[] | select(.worker == "lab/w1") | .state == "accepted"' "$work/round.json" >/dev/null || fail "the round went on without the first worker: $(cat "$work/round.json")"
echo "from the metrics to the cause: every step of the walk says what it must"
