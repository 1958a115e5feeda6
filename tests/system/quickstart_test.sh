#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart_test.sh PRESET: the quickstart with one round, on that preset's build. It ends well, says what it must in
# result.json, prints the address of a dashboard that shows the run, gives the same model again, also when its
# coordinator and a worker are killed by hand in the middle and started again by hand, and leaves no process behind, also
# when it is interrupted. With --keep-running it leaves them and a script that stops them, those started by hand among
# them. (Its accuracy is a matter of all its rounds; see README.md.)
set -euo pipefail
preset=$1
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
bin="$repository/build/$preset/bin"
second="" by_hand="" interrupted=""
left_running() { pgrep -f -- "$folder/[abc]/" || true; }
# They leave their folders before those go.
end_all() {
  local pid
  if [ -x "$folder/a/stop.sh" ]; then "$folder/a/stop.sh" || true; fi
  for pid in $second $by_hand $interrupted; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  for _ in $(seq 300); do [ -z "$(left_running)" ] && break; sleep 0.1; done
  rm -rf "$folder"
}
trap end_all EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
# kill_by_hand LOCK: who has the lock, without a warning, and waits until nobody has it.
kill_by_hand() {
  kill -KILL "$(cat "$1")"
  flock -w 10 "$1" true || fail "who had $1 was killed and lives on"
}
# start_by_hand LOCK COMMAND...: until it has the lock.
start_by_hand() {
  local lock=$1 pid
  shift
  "$@" >>"$folder/by-hand.log" 2>&1 &
  pid=$!
  by_hand+=" $pid"
  for _ in $(seq 300); do
    if [ "$(cat "$lock")" = "$pid" ]; then return; fi
    sleep 0.1
  done
  fail "$1 was started by hand and did not take $lock: $(tail -n 3 "$folder/by-hand.log")"
}
# Those that were started by hand have been stopped by somebody else.
wait_for_those_by_hand() {
  local pid code
  for pid in $by_hand; do
    code=0
    wait "$pid" || code=$?
    [ "$code" -eq 0 ] || fail "one that was started by hand ended with $code: $(tail -n 3 "$folder/by-hand.log")"
  done
  by_hand=""
}

"$repository/deploy/quickstart.sh" --preset "$preset" --rounds 1 --out "$folder/a" --seed 7 --keep-running | tee "$folder/a.txt"
kill_by_hand "$folder/a/coordinator/journal.sqlite.lock"
kill_by_hand "$folder/a/work/kr-lab/lock"
start_by_hand "$folder/a/coordinator/journal.sqlite.lock" "$bin/entente-coordinator" --config "$folder/a/coordinator.yaml"
start_by_hand "$folder/a/work/kr-lab/lock" "$bin/entente-worker" --config "$folder/a/kr-lab.yaml"
kill -0 "$(cat "$folder/a/work/fr-lab/lock")" || fail "a worker was not left running"
"$folder/a/stop.sh"
wait_for_those_by_hand
for _ in $(seq 600); do [ -z "$(left_running)" ] && break; sleep 0.1; done
[ -z "$(left_running)" ] || fail "stop.sh left processes running: $(left_running)"
"$folder/a/stop.sh" || fail "stop.sh fails when nobody runs"
grep -q "together, on the test images" "$folder/a.txt" || fail "no table was printed"
jq -e '
  .accuracy > 0.3 and .rounds == 1 and (.model_digest | test("^[0-9a-f]{64}$")) and
  (.seconds | has("build", "pki", "split", "start", "train", "evaluate", "alone")) and
  .bytes_up > 0 and .bytes_down > 0 and (.members | length) == 5 and
  ([.members[].jurisdiction] | sort) == ["BR", "CA", "FR", "IN", "KR"] and
  ([.members[].weight] | add - 1 | fabs) < 1e-9 and
  all(.members[]; .examples > 0 and .accuracy >= 0 and .accuracy_alone > 0)
' "$folder/a/result.json" >/dev/null || fail "result.json is not what it must be: $(cat "$folder/a/result.json")"
[ "$(sha256sum <"$folder/a/model.safetensors" | cut -d' ' -f1)" = "$(jq -r .model_digest "$folder/a/result.json")" ] ||
  fail "model.safetensors is not the model of result.json"

# Killed in the round, as if by hand, and started again with the very command that is asked for.
"$repository/deploy/quickstart.sh" --preset "$preset" --rounds 1 --out "$folder/b" --seed 7 >"$folder/b.txt" 2>&1 &
second=$!
# says WHAT: whether a line of the second run comes to begin so within five minutes.
says() {
  local until=$((SECONDS + 300))
  until grep -q "^$1" "$folder/b.txt"; do
    kill -0 "$second" 2>/dev/null && [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.1
  done
}
says "round 1/1 collecting" || fail "the second run did not come to its round: $(tail -n 3 "$folder/b.txt")"
kill_by_hand "$folder/b/work/kr-lab/lock"
kill_by_hand "$folder/b/coordinator/journal.sqlite.lock"
says "quickstart: the coordinator has ended" || fail "nobody was told that the coordinator had ended"
if grep "Killed" "$folder/b.txt"; then fail "the shell has its say about who was killed by hand"; fi
rm "$folder/b/coordinator/http-port"
restart=$(sed -n 's/^quickstart: the coordinator has ended.* start it again with: //p' "$folder/b.txt")
start_by_hand "$folder/b/coordinator/journal.sqlite.lock" bash -c "exec $restart"
start_by_hand "$folder/b/work/kr-lab/lock" "$bin/entente-worker" --config "$folder/b/kr-lab.yaml"
for _ in $(seq 300); do [ -s "$folder/b/coordinator/http-port" ] && break; sleep 0.1; done
grep -q "^watch it in a browser: http://127.0.0.1:$(cat "$folder/b/coordinator/http-port")/\$" "$folder/b.txt" ||
  fail "the dashboard has another address than was said: $(tail -n 3 "$folder/by-hand.log")"
wait "$second" || fail "the quickstart did not outlive its coordinator: $(tail -n 3 "$folder/b.txt"), $(tail -n 3 "$folder/by-hand.log")"
second=""
wait_for_those_by_hand
[ -z "$(left_running)" ] || fail "processes were left running after a restart by hand: $(left_running)"
[ "$(jq -r .model_digest "$folder/a/result.json")" = "$(jq -r .model_digest "$folder/b/result.json")" ] ||
  fail "the same seed gave another model when the coordinator and a worker were killed and started again"

setsid "$repository/deploy/quickstart.sh" --preset "$preset" --rounds 50 --out "$folder/c" >"$folder/c.txt" 2>&1 &
interrupted=$!
for _ in $(seq 600); do grep -q "round 1/50" "$folder/c.txt" && break; sleep 0.1; done
# The page is there, and what it draws from has the round.
shows_the_run() {
  dashboard=$(sed -n 's/^watch it in a browser: //p' "$folder/c.txt")
  curl -fsS --max-time 10 -o /dev/null "$dashboard" &&
    curl -fsS --max-time 10 "${dashboard}api/jobs" | jq -e '.jobs[0].roundsCommitted >= 1' >/dev/null
}
seen=no
asked=$SECONDS
while [ "$seen" = no ] && [ $((SECONDS - asked)) -lt 180 ]; do
  if shows_the_run 2>"$folder/dashboard.txt"; then seen=yes; else sleep 0.5; fi
done
stopped=$SECONDS
kill -TERM "$interrupted"
code=0
wait "$interrupted" || code=$?
interrupted=""
[ "$seen" = yes ] || fail "the dashboard at \"$dashboard\" does not show the run: $(cat "$folder/dashboard.txt")"
[ "$code" -eq 143 ] || fail "an interrupted quickstart exited with $code, not 143"
[ $((SECONDS - stopped)) -lt 60 ] || fail "an interrupted quickstart went on for $((SECONDS - stopped)) s"
[ -z "$(left_running)" ] || fail "an interrupted quickstart left processes: $(left_running)"

for wrong in "--rounds 0" "--rounds x" "--port 70000" "--seed -1" "--no-such" "--out $folder/a" "--out $folder/a.txt" "--out $folder/a.txt/below"; do
  code=0
  # shellcheck disable=SC2086
  "$repository/deploy/quickstart.sh" $wrong >/dev/null 2>"$folder/usage.txt" || code=$?
  [ "$code" -eq 2 ] || fail "quickstart $wrong exited with $code, not 2"
  if ! grep -q "^quickstart: " "$folder/usage.txt" || [ "$(wc -l <"$folder/usage.txt")" -ne 1 ]; then
    fail "quickstart $wrong did not say in one line what is wrong: $(cat "$folder/usage.txt")"
  fi
done
echo "the quickstart keeps its promises"
