#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lost_coordinator_test.sh: a script's question to a coordinator that was killed by hand. It is told once, with the command
# that starts it again, and asked again when somebody has; one that is there and does not answer is given up soon; any
# other failure is the script's to see. Who asks and who coordinates are stand-ins.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck disable=SC2034 # The library's.
script=lost_coordinator_test bin=/bin members=() pki=""
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

folder=$(mktemp -d)
clean_up() { rm -rf "$folder"; }
stop_at_end clean_up
mkdir "$folder/coordinator"
lock="$folder/coordinator/journal.sqlite.lock"

# Answers once the file of the lock says that somebody coordinates, as `entente` would.
cat >"$folder/entente.sh" <<'SH'
if [ "$2" = unknown ]; then echo "no such job" >&2; exit 3; fi
if [ -s "$1" ]; then echo "the answer to $2"; exit 0; fi
echo "cannot reach the coordinator" >&2
exit 5
SH
# shellcheck disable=SC2034 # The library's.
as_submitter=(bash "$folder/entente.sh" "$lock")
start sleep 600
coordinator=$started coordinator_folder=$folder/coordinator
kill_now "$coordinator"
: >"$folder/said.txt"
(
  until grep -q "has ended" "$folder/said.txt"; do sleep 0.1; done
  sleep 1
  # As a coordinator does: its id in the file of the lock, which it has open.
  exec 9>"$lock"
  echo "$BASHPID" >&9
  exec sleep 600
) &
pids+=("$!")
ask job >"$folder/answer.txt" 2>"$folder/said.txt" || fail "the question was given up: $(cat "$folder/said.txt")"
[ "$(cat "$folder/answer.txt")" = "the answer to job" ] || fail "the answer was: $(cat "$folder/answer.txt")"
[ "$(grep -c "start it again with: /bin/entente-coordinator --config $folder/coordinator.yaml" "$folder/said.txt")" = 1 ] &&
  [ "$(wc -l <"$folder/said.txt")" = 1 ] || fail "what was said is: $(cat "$folder/said.txt")"

code=0
ask unknown >"$folder/answer.txt" 2>"$folder/said.txt" || code=$?
[ "$code" = 3 ] && [ "$(cat "$folder/said.txt")" = "no such job" ] && [ ! -s "$folder/answer.txt" ] ||
  fail "a question that fails ended with $code and $(cat "$folder/said.txt")"

kill_now "${pids[@]}"
rm "$lock"
# shellcheck disable=SC2034 # The library's.
restart_seconds_max=1
code=0
ask job >"$folder/answer.txt" 2>"$folder/said.txt" || code=$?
[ "$code" = 5 ] && grep -qx "cannot reach the coordinator" "$folder/said.txt" ||
  fail "a coordinator that nobody starts again ends with $code and $(cat "$folder/said.txt")"

start sleep 600
coordinator=$started
# shellcheck disable=SC2034 # The library's.
restart_seconds_max=600 answer_seconds_max=1
code=0
ask job >"$folder/answer.txt" 2>"$folder/said.txt" || code=$?
[ "$code" = 5 ] && [ "$(cat "$folder/said.txt")" = "cannot reach the coordinator" ] ||
  fail "a coordinator that does not answer ends with $code and $(cat "$folder/said.txt")"
echo "a coordinator that was killed is waited for, and asked again"
