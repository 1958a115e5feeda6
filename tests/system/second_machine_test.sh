#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# second_machine_test.sh BIN: README.md, "Join with your own machine", between two machines: network namespaces joined by a cable. The
# coordinator is on one; a lab on the other makes its own authority, sends nothing but its certificate,
# dials out, and takes part in a job.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=network.sh
. "$(dirname "$0")/network.sh"

need_namespaces

bin=$1
folder=$(mktemp -d)
hub=entente-hub-$$
lab=entente-lab-$$
pids=()
clean_up() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns del "$hub" 2>/dev/null || true
  ip netns del "$lab" 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT
fail() { echo "FAILED: $*" >&2; tail -n 20 "$folder"/*.log >&2 || true; exit 1; }

ip netns add "$hub"
ip netns add "$lab"
ip link add "hub$$" netns "$hub" type veth peer name "lab$$" netns "$lab"
ip -n "$hub" addr add 10.77.0.1/24 dev "hub$$"
ip -n "$lab" addr add 10.77.0.2/24 dev "lab$$"
for namespace in "$hub" "$lab"; do ip -n "$namespace" link set lo up; done
ip -n "$hub" link set "hub$$" up
ip -n "$lab" link set "lab$$" up

# The alliance's machine.
"$bin/entente" pki init --trust-domain alliance.example --name Alliance --directory "$folder/alliance" >/dev/null
"$bin/entente" pki issue --authority "$folder/alliance" --role coordinator --name hub --ip 10.77.0.1 --output "$folder/alliance" >/dev/null
"$bin/entente" pki issue --authority "$folder/alliance" --role submitter --name s --output "$folder/alliance" >/dev/null

# The lab's machine: its own authority, its own data; authority.crt is all it sends.
"$bin/entente" pki init --trust-domain jp-lab.example --name "JP lab" --directory "$folder/lab" >/dev/null
"$bin/entente" pki issue --authority "$folder/lab" --role worker --name gpu-1 --output "$folder/lab" >/dev/null
mkdir -p "$folder/data"
awk 'BEGIN { print "x,y,class"; for (i = 0; i < 200; i++) { x = (i * 37 % 101) / 50 - 1; y = (i * 53 % 97) / 48 - 1; print x "," y "," (x + y > 0) } }' >"$folder/data/train.csv"
head -n 60 "$folder/data/train.csv" >"$folder/data/held-out.csv"

cat >"$folder/coordinator.yaml" <<YAML
apiVersion: entente/v1
kind: Coordinator
listen: 10.77.0.1:7443
dataDirectory: hub-data
tls: {certificate: alliance/coordinator-hub.crt, privateKey: alliance/coordinator-hub.key}
alliance: {trustDomain: alliance.example, authority: alliance/authority.crt}
members:
  - {id: jp-lab, jurisdiction: JP, trustDomain: jp-lab.example, authority: lab/authority.crt}
YAML
cat >"$folder/policy.yaml" <<YAML
apiVersion: entente/v1
kind: LocalPolicy
rules:
  - {name: research, effect: allow, purposes: ["research/*"]}
YAML
cat >"$folder/worker.yaml" <<YAML
apiVersion: entente/v1
kind: Worker
coordinator: 10.77.0.1:7443
tls: {certificate: lab/worker-gpu-1.crt, privateKey: lab/worker-gpu-1.key, authority: alliance/authority.crt}
workDirectory: lab-work
policy: policy.yaml
datasets:
  - {name: table, format: csv, directory: data}
YAML
cat >"$folder/recipe.yaml" <<YAML
apiVersion: entente/v1
kind: Recipe
name: table
purpose: research/second-machine
dataset: table
model: {builtin: {architecture: mlp, inputShape: [2], outputs: 2, hidden: [8]}}
task: classification
rounds: 2
pacing: {quorum: {count: 1}}
YAML

ip netns exec "$hub" "$bin/entente-coordinator" --config "$folder/coordinator.yaml" >"$folder/coordinator.log" 2>&1 &
pids+=("$!")
ip netns exec "$lab" "$bin/entente-worker" --config "$folder/worker.yaml" >"$folder/worker.log" 2>&1 &
pids+=("$!")
ask() {
  ip netns exec "$hub" "$bin/entente" --coordinator 10.77.0.1:7443 --certificate "$folder/alliance/submitter-s.crt" \
    --private-key "$folder/alliance/submitter-s.key" --authority "$folder/alliance/authority.crt" "$@"
}
connected=""
for _ in $(seq 150); do
  connected=$(ask member list -o json 2>/dev/null | jq -r '.members[].workers[]? | select(.connected) | .id' 2>/dev/null || true)
  [ "$connected" = jp-lab/gpu-1 ] && break
  sleep 0.2
done
[ "$connected" = jp-lab/gpu-1 ] || fail "the lab's worker did not attach"
ip netns exec "$lab" "$bin/entente" doctor --config "$folder/worker.yaml" || fail "doctor finds fault with the lab"
ask job submit "$folder/recipe.yaml" --watch || fail "the job did not complete"
echo "a worker on a second machine joined and trained"
