#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# network_chaos_test.sh BIN: a coordinator and two workers on machines of their own (network namespaces joined by a
# cable), and what befalls a line: connections reset in mid-upload, by the machine and by the line itself, the cable out for
# longer than a connection lives, 1 Mbit/s, 200 ms each way, a machine that loses its power and comes back under another
# address while the coordinator still holds its connections, and the coordinator's machine gone in the same way, with another
# in its place. Every job completes with updates of both workers, and an upload that was cut goes on where it stood: the
# bytes on the cable show it.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=network_chaos_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"
# shellcheck source-path=SCRIPTDIR source=network.sh
. "$repository/tests/system/network.sh"

bin=$1
hub=entente-hub-$$
lab=entente-lab-$$
host=10.77.0.1
need_namespaces

work=$(mktemp -d)
clean_up() {
  ip netns del "$hub" 2>/dev/null || true
  ip netns del "$lab" 2>/dev/null || true
  show_logs_and_remove 12 "$1"
}
stop_at_end clean_up

# lay_cable ADDRESS: between the lab, with that address, and the hub.
lay_cable() {
  ip link add "hub$$" netns "$hub" type veth peer name "lab$$" netns "$lab"
  ip -n "$hub" addr add "$host/24" dev "hub$$"
  ip -n "$lab" addr add "$1/24" dev "lab$$"
  ip -n "$hub" link set "hub$$" up
  ip -n "$lab" link set "lab$$" up
}
# plug_in ADDRESS: a fresh machine for the lab, and its cable.
plug_in() {
  ip netns add "$lab"
  ip -n "$lab" link set lo up
  lay_cable "$1"
}
# tear_cable: both ends of it, at once.
tear_cable() {
  ip -n "$hub" link del "hub$$" 2>/dev/null || true
  for _ in $(seq 100); do ip -n "$hub" link show "hub$$" >/dev/null 2>&1 || break; sleep 0.1; done
}
# line RATE [RATE]: how fast the cable is to the hub, and back (default: 1gbit).
line() {
  tc -n "$lab" qdisc replace dev "lab$$" root tbf rate "$1" burst 64kb latency 200ms
  tc -n "$hub" qdisc replace dev "hub$$" root tbf rate "${2:-1gbit}" burst 64kb latency 200ms
}
bytes_to_hub() { ip netns exec "$hub" cat "/sys/class/net/hub$$/statistics/rx_bytes"; }

ip netns add "$hub"
ip -n "$hub" link set lo up
plug_in 10.77.0.2
line 1gbit 2>/dev/null || { echo "skipped: this kernel cannot slow a line down (tbf)"; exit 77; }

# ---- A federation: the coordinator on one machine, two workers on the other --------------------------------

certify_lab researcher w1 w2
coordinator_yaml "$host:0" "$work/coordinator" >"$work/coordinator.yaml"
echo "heartbeatInterval: 2s" >>"$work/coordinator.yaml"
coordinator_prefix=(ip netns exec "$hub")
start_hub() {
  start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
  as_submitter=(ip netns exec "$hub" "${as_submitter[@]}")
}
start_hub
worker_pids=()
start_workers() {
  local number
  worker_pids=()
  for number in 1 2; do
    start_idle_worker "$number" "$work" researcher ip netns exec "$lab"
    worker_pids+=("$started")
  done
  await_attached 2
}
start_workers

# submit NAME PARAMETERS ROUNDS: starts a job with a model of that size.
submit() {
  submit_idle "$2" "$3" 2
  began=$SECONDS
  update_bytes=$((4 * $2))
  bytes_before=$(bytes_to_hub)
}
completes() { # WHAT
  run timeout 300 "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1 || fail "$1: the job did not complete: $(tail -n 2 "$work/watch.log")"
  echo "$1: done in $((SECONDS - began)) s, $(($(bytes_to_hub) - bytes_before)) bytes to the hub for updates of $update_bytes"
}
# Both uploads have come so far, in thousandths of an update.
uploads_reach() {
  local wanted=$(($1 * update_bytes / 1000)) count
  local until=$((SECONDS + 120))
  while [ "$SECONDS" -lt "$until" ]; do
    count=$(find "$work/coordinator/spool" -type f -size +"$((wanted / 1024))k" 2>/dev/null | wc -l)
    [ "$count" -ge 2 ] && return 0
    sleep 0.1
  done
  fail "no two uploads of $wanted bytes within two minutes"
}
silences() { grep -c "worker silent" "$work/coordinator.log" || true; }
# expect_no_more_than THOUSANDTHS: of the two updates' bytes were on the cable.
expect_no_more_than() {
  local came=$(($(bytes_to_hub) - bytes_before)) most=$((2 * update_bytes * $1 / 1000))
  [ "$came" -ge $((2 * update_bytes)) ] && [ "$came" -le "$most" ] || fail "$came bytes were sent for 2 updates of $update_bytes; an upload that was cut did not go on where it stood"
}

# ---- Resets ---------------------------------------------------------------------------------------------

# Slow enough that a busy machine still finds the uploads under way.
line 4mbit
submit resets 2000000 1
for reached in 200 450 700; do
  uploads_reach "$reached"
  ip netns exec "$lab" ss --tcp --kill state established dst "$host" >/dev/null
done
grep -q "worker detached" "$work/coordinator.log" || fail "the resets went unnoticed"
completes "three resets of every connection in mid-upload"
# From the beginning each time it would be 2.3 times the bytes.
expect_no_more_than 1700

# ---- The cable out for 15 s -----------------------------------------------------------------------------

submit cable 2000000 1
uploads_reach 600
ip -n "$hub" link set "hub$$" down
sleep 15
ip -n "$hub" link set "hub$$" up
completes "the cable out for 15 s in mid-upload"
expect_no_more_than 1400

# ---- A slow line, a long line ------------------------------------------------------------------------------

silent_before_slow=$(silences)
line 1mbit 1mbit
submit slow 300000 1
completes "1 Mbit/s"
# A heartbeat does not wait behind an upload.
[ "$(silences)" -eq "$silent_before_slow" ] || fail "on a slow line the workers were taken for silent"
line 1gbit

kill -TERM "${worker_pids[@]}"
for pid in "${worker_pids[@]}"; do finish "$pid" || true; done
start ip netns exec "$lab" python3 "$repository/tests/system/line_proxy.py" 7443 "$host" "$port" 0.2 >"$work/proxy.log" 2>&1
proxy=$started
await_that 60 "the long line is there" grep -q listening "$work/proxy.log"
hub_host=$host hub_port=$port
host=127.0.0.1 port=7443
start_workers
host=$hub_host port=$hub_port
submit far 1000000 2
completes "200 ms each way"
line 4mbit
submit broken 2000000 1
for reached in 200 450 700; do
  uploads_reach "$reached"
  kill -USR1 "$proxy"
done
completes "200 ms each way, and three resets of every connection by the line itself"
expect_no_more_than 1700
[ "$(grep -c "^reset [1-9]" "$work/proxy.log" || true)" -eq 3 ] || fail "the line had no connections to reset: $(tail -n 3 "$work/proxy.log")"
kill -TERM "${worker_pids[@]}"
for pid in "${worker_pids[@]}"; do finish "$pid" || true; done
kill -TERM "$proxy"
finish "$proxy" || true

# ---- Power loss, and another address: half-open connections -------------------------------------------------

line 4mbit
start_workers
submit power 2000000 1
uploads_reach 300
ip -n "$hub" link set "hub$$" down
kill_now "${worker_pids[@]}"
# The kernel takes its time to clear a namespace away; the cable goes now, both ends of it.
ip netns del "$lab"
tear_cable
plug_in 10.77.0.3
line 4mbit
bytes_before=0
start_workers
completes "a machine that lost its power came back with another address"

# ---- The coordinator's machine vanishes -----------------------------------------------------------------------

submit vanished 2000000 1
uploads_reach 300
# The cable first: neither FIN nor RST reaches the workers, whose connections stay open towards nobody.
ip -n "$hub" link set "hub$$" down
kill_now "$coordinator"
tear_cable
ip netns del "$hub"
held=$(ip netns exec "$lab" ss --no-header --tcp state established dst "$host" | wc -l)
[ "$held" -gt 0 ] || fail "the workers knew at once that the coordinator's machine was gone"
# Another machine in its place, with its address and its disk.
ip netns add "$hub"
ip -n "$hub" link set lo up
lay_cable 10.77.0.3
line 4mbit
bytes_before=0
start_hub
completes "the coordinator's machine vanished, and another took its place"
for pid in "${worker_pids[@]}"; do kill -0 "$pid" 2>/dev/null || fail "a worker did not outlive the coordinator's machine"; done

echo "every job completed, and no upload that was cut began anew"
