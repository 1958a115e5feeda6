#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# many_connections_test.sh BIN: ten thousand connections to the dashboard of a running job, which say nothing, half a
# request, or headers without an end. Rounds go on, who looks already goes on to be told, who comes is answered or told
# why not, all of the ten thousand are let go within their time, and what they took is bounded and given back. Then a
# request of 100 MB. Exit code 77: this account may not open enough files.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=many_connections_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

bin=$1
connections=10000
# What common/http/http_limits.h lets all of them take: 512 connections with 32 KiB of headers each, in buffers that
# have doubled, are 32 MiB; twice as much for what runs meanwhile. Unbounded they would take more than 200 MiB.
growth_bytes_max=$((96 << 20))
# Each process of the crowd opens what this account may, but for a few files of its own.
descriptors=$(ulimit -Hn)
if [ "$descriptors" = unlimited ]; then descriptors=1000000; fi
each=$((descriptors - 50))
if [ "$each" -lt 900 ]; then
  echo "skipped: a process of this account may open $descriptors files; the test wants 950 (ulimit -Hn)"
  exit 77
fi

work=$(mktemp -d)
stop_at_end show_logs_and_remove 3

# ---- A federation with a job that runs, and somebody who looks --------------------------------------------

certify_lab researcher w1 w2
coordinator_yaml 127.0.0.1:0 "$work/coordinator" >"$work/coordinator.yaml"
# A sanitizer's memory is not what is limited here: it keeps what was freed for a while.
coordinator_prefix=(env "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=4")
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
http_port=$(cat "$work/coordinator/http-port")
for number in 1 2; do start_idle_worker "$number" "$work" researcher; done
await_attached 2
submit_idle 1000 100000 2
start "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1

committed() { rounds_committed "$work/watch.log"; }
has_committed() { [ "$(committed)" -ge "$1" ]; }
start curl -sN "${dashboard}api/stream?page=job&job=$job" >"$work/told.txt" 2>"$work/browser.log"
browser=$started
# has_been_told BYTES: the browser that looked all the time has more than that.
has_been_told() {
  kill -0 "$browser" 2>/dev/null || fail "the browser that looked before was cut off"
  [ "$(stat -c %s "$work/told.txt")" -gt "$1" ]
}
# ask PATH [OPTION...]: the answer's body is in answer.txt, its status is printed; 000 if there was none.
ask() {
  local path=$1
  shift
  curl -s -m 60 -o "$work/answer.txt" -w '%{http_code}' "$@" "$dashboard$path" || true
}
answers() { [ "$(ask "$1")" = 200 ]; }
files_open() { find "/proc/$coordinator/fd" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }
has_files_open() { [ "$(files_open)" -le "$1" ]; }

await_that 120 "five rounds are committed" has_committed 5
await_that 120 "the browser is told something" has_been_told 0
for path in "" jobs api/federation "api/jobs/$job" "api/jobs/$job/history" api/events; do
  answers "$path" || fail "/$path is not answered: $(cat "$work/answer.txt")"
done
files_before=$(files_open)
peak_before=$(peak_bytes "$coordinator")

# ---- Ten thousand connections --------------------------------------------------------------------------------

crowd=()
left=$connections
while [ "$left" -gt 0 ]; do
  count=$((left < each ? left : each))
  start python3 "$(dirname "$0")/many_connections.py" "$http_port" "$count" >"$work/crowd-${#crowd[@]}.txt" 2>"$work/crowd-${#crowd[@]}.log"
  crowd+=("$started")
  left=$((left - count))
done
lives() { for pid in "${crowd[@]}"; do kill -0 "$pid" 2>/dev/null || fail "the ten thousand were not opened: $(cat "$work"/crowd-*.log)"; done; }
crowd_is_open() { lives && [ "$(cat "$work"/crowd-*.txt | grep -cx open || true)" -eq ${#crowd[@]} ]; }
crowd_is_ended() { lives && [ "$(cat "$work"/crowd-*.txt | grep -c told || true)" -eq ${#crowd[@]} ]; }
await_that 120 "ten thousand connections are open" crowd_is_open

# Whoever comes now is answered, or is told why not; or is cut off before it has sent all.
status=$(ask api/jobs)
case $status in
  200 | 000) ;;
  503) grep -q "too many connections are open; try again later" "$work/answer.txt" || fail "503 without the reason: $(cat "$work/answer.txt")" ;;
  *) fail "with ten thousand connections /api/jobs is answered with $status" ;;
esac
await_that 120 "three rounds beside ten thousand connections" has_committed $(($(committed) + 3))
await_that 120 "who looked before is told more" has_been_told "$(stat -c %s "$work/told.txt")"
[ "$("${as_submitter[@]}" member list -o json | jq '[.members[].workers[] | select(.connected)] | length')" = 2 ] ||
  fail "a worker was lost beside ten thousand connections"
# A connection that has sent no request within ten seconds is closed.
await_that 120 "who comes is answered once the silent are let go" answers api/jobs
await_that 120 "all of the ten thousand are let go" crowd_is_ended
seconds=$(cat "$work"/crowd-*.txt | grep told | jq -s 'map(.seconds) | max')
told=$(cat "$work"/crowd-*.txt | grep told | jq -s 'map(.told) | add')
[ "$told" -ge 1000 ] || fail "only $told of the ten thousand were told that they are too many"
# The crowd still holds its ends.
lives
answers healthz || fail "/healthz is not answered while the crowd holds its ends"

kill_now "${crowd[@]}"
await_that 120 "the coordinator closes its files again" has_files_open $((files_before + 20))

# ---- A request of 100 MB ---------------------------------------------------------------------------------------

truncate -s 104857600 "$work/large"
[ "$(ask api/jobs -X GET -H 'Expect:' --data-binary "@$work/large")" = 413 ] || fail "a request of 100 MB is not answered with 413: $(cat "$work/answer.txt")"
grep -q "a body of 104857600 bytes; at most 65536 are taken, and none is needed" "$work/answer.txt" || fail "413 without the reason: $(cat "$work/answer.txt")"
[ "$(ask api/jobs -X POST -H 'Expect:' --data-binary "@$work/large")" = 405 ] || fail "a POST of 100 MB is not answered with 405: $(cat "$work/answer.txt")"
# Without a length nothing is refused, but neither is it read: the connection ends after the answer.
status=$(ask api/jobs -X GET -H 'Expect:' -H 'Transfer-Encoding: chunked' --data-binary "@$work/large")
[ "$status" = 200 ] || fail "100 MB in chunks: $status"

# ---- Everything is as before -----------------------------------------------------------------------------------

for path in "" jobs api/federation "api/jobs/$job" "api/jobs/$job/history" api/events healthz readyz; do
  answers "$path" || fail "/$path is not answered afterwards: $(cat "$work/answer.txt")"
done
await_that 120 "rounds go on" has_committed $(($(committed) + 3))
await_that 120 "who looked all the time is still told" has_been_told "$(stat -c %s "$work/told.txt")"
kill -0 "$coordinator" || fail "the coordinator did not outlive the crowd"
growth=$(($(peak_bytes "$coordinator") - peak_before))
[ "$growth" -le "$growth_bytes_max" ] || fail "the coordinator's memory grew by $growth bytes, more than $growth_bytes_max"
echo "$connections connections let go within $seconds s, $told of them told why; the coordinator took $((growth >> 20)) MiB more, and rounds went on"
