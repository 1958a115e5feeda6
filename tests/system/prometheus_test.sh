#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prometheus_test.sh BIN: a real Prometheus scrapes a coordinator and two workers during a run; an alert fires when a worker is killed, and
# ends when it is back. On loopback. The rules are the shipped ones, with seconds in place of minutes.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=network.sh
. "$(dirname "$0")/network.sh"

bin=$1
rules=$(cd "$(dirname "$0")/../../deploy/prometheus" && pwd)/entente.rules.yaml
folder=$(mktemp -d)
pids=()
clean_up() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap clean_up EXIT
fail() { echo "FAILED: $*" >&2; tail -n 20 "$folder"/*.log >&2 || true; exit 1; }
# wait_for SECONDS WHAT COMMAND...: until it succeeds.
wait_for() {
  local limit=$1 what=$2
  shift 2
  for _ in $(seq $((limit * 5))); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  fail "$what: not within $limit s"
}
port_in() { [ -s "$folder/$1" ] && cat "$folder/$1"; }

"$bin/entente" pki init --trust-domain alliance.example --name Alliance --directory "$folder/alliance" >/dev/null
"$bin/entente" pki issue --authority "$folder/alliance" --role coordinator --name c --ip 127.0.0.1 --output "$folder/alliance" >/dev/null
"$bin/entente" pki issue --authority "$folder/alliance" --role submitter --name s --output "$folder/alliance" >/dev/null
mkdir -p "$folder/data"
awk 'BEGIN { print "x,y,class"; for (i = 0; i < 200; i++) { x = (i * 37 % 101) / 50 - 1; y = (i * 53 % 97) / 48 - 1; print x "," y "," (x + y > 0) } }' >"$folder/data/train.csv"
head -n 60 "$folder/data/train.csv" >"$folder/data/held-out.csv"
cat >"$folder/policy.yaml" <<YAML
apiVersion: entente/v1
kind: LocalPolicy
rules:
  - {name: research, effect: allow, purposes: ["research/*"]}
YAML
cat >"$folder/coordinator.yaml" <<YAML
apiVersion: entente/v1
kind: Coordinator
listen: 127.0.0.1:0
portFile: port
dataDirectory: coordinator-data
heartbeatInterval: 2s
http: {listen: "127.0.0.1:0", portFile: http-port}
tls: {certificate: alliance/coordinator-c.crt, privateKey: alliance/coordinator-c.key}
alliance: {trustDomain: alliance.example, authority: alliance/authority.crt}
members:
  - {id: fr-lab, jurisdiction: FR, trustDomain: fr-lab.example, authority: fr-lab/authority.crt}
  - {id: jp-lab, jurisdiction: JP, trustDomain: jp-lab.example, authority: jp-lab/authority.crt}
YAML
for member in fr-lab jp-lab; do
  "$bin/entente" pki init --trust-domain "$member.example" --name "$member" --directory "$folder/$member" >/dev/null
  "$bin/entente" pki issue --authority "$folder/$member" --role worker --name w --output "$folder/$member" >/dev/null
done
"$bin/entente-coordinator" --config "$folder/coordinator.yaml" >"$folder/coordinator.log" 2>&1 &
pids+=("$!")
wait_for 60 "the coordinator listens" port_in port
port=$(port_in port)
http=$(port_in http-port)

declare -A worker_pid
start_worker() {
  cat >"$folder/$1.yaml" <<YAML
apiVersion: entente/v1
kind: Worker
coordinator: 127.0.0.1:$port
tls: {certificate: $1/worker-w.crt, privateKey: $1/worker-w.key, authority: alliance/authority.crt}
workDirectory: work/$1
policy: policy.yaml
http: {listen: "127.0.0.1:$2", portFile: $1-http-port}
datasets:
  - {name: table, format: csv, directory: data}
YAML
  "$bin/entente-worker" --config "$folder/$1.yaml" >>"$folder/$1.log" 2>&1 &
  worker_pid[$1]=$!
  pids+=("$!")
}
for member in fr-lab jp-lab; do
  start_worker "$member" 0
  wait_for 60 "$member answers" port_in "$member-http-port"
done
fr_http=$(port_in fr-lab-http-port)
jp_http=$(port_in jp-lab-http-port)

# What probes ask.
[ "$(curl -sf "http://127.0.0.1:$http/healthz")" = alive ] || fail "the coordinator is not alive"
wait_for 30 "the coordinator is ready" curl -sf "http://127.0.0.1:$http/readyz"
wait_for 30 "the worker is ready" curl -sf "http://127.0.0.1:$fr_http/readyz"
curl -sf "http://127.0.0.1:$http/metrics" | promtool check metrics || fail "promtool finds fault with the coordinator's metrics"
curl -sf "http://127.0.0.1:$fr_http/metrics" | promtool check metrics || fail "promtool finds fault with the worker's metrics"

sed -E 's/for: [0-9]+m/for: 1s/' "$rules" >"$folder/rules.yaml"
cat >"$folder/prometheus.yaml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: entente-coordinator
    static_configs: [{targets: ["127.0.0.1:$http"]}]
  - job_name: entente-worker
    static_configs: [{targets: ["127.0.0.1:$fr_http", "127.0.0.1:$jp_http"]}]
YAML
server=$(free_port)
prometheus --config.file="$folder/prometheus.yaml" --storage.tsdb.path="$folder/tsdb" \
  --web.listen-address="127.0.0.1:$server" >"$folder/prometheus.log" 2>&1 &
pids+=("$!")
# holds EXPRESSION: whether it has a result; promtool prints nothing if not.
holds() { [ -n "$(promtool query instant "http://127.0.0.1:$server" "$1" 2>/dev/null)" ]; }
wait_for 60 "Prometheus scrapes all three" holds 'sum(up) == 3'
wait_for 60 "both workers are seen" holds 'sum(entente_workers{state="attached"}) == 2'

cat >"$folder/recipe.yaml" <<YAML
apiVersion: entente/v1
kind: Recipe
name: table
purpose: research/metrics
dataset: table
model: {builtin: {architecture: mlp, inputShape: [2], outputs: 2, hidden: [8]}}
task: classification
rounds: 3
pacing: {quorum: {count: 2}}
YAML
"$bin/entente" --coordinator "127.0.0.1:$port" --certificate "$folder/alliance/submitter-s.crt" \
  --private-key "$folder/alliance/submitter-s.key" --authority "$folder/alliance/authority.crt" \
  job submit "$folder/recipe.yaml" --watch >"$folder/job.log" 2>&1 || fail "the job did not complete"
wait_for 60 "three rounds are counted" holds 'entente_rounds_total{outcome="committed"} == 3'
wait_for 60 "six updates are counted" holds 'sum(entente_updates_accepted_total) == 6'
wait_for 60 "rounds are timed" holds 'entente_round_duration_seconds_count{outcome="committed"} == 3'
wait_for 60 "uploads are timed" holds 'entente_upload_duration_seconds_count{outcome="stored"} >= 6'
wait_for 60 "bytes are counted" holds 'sum by (direction) (entente_transfer_bytes_total) > 0'
wait_for 60 "the worker counts its tasks" holds 'entente_worker_tasks_total{kind="train",outcome="done"} == 3'
wait_for 60 "the job has ended" holds 'entente_jobs{state="completed"} == 1'

holds 'ALERTS{alertname="EntenteWorkerGone",alertstate="firing"}' && fail "an alert fires while all is well"
kill -KILL "${worker_pid[fr-lab]}"
wait_for 90 "the alert fires" holds 'ALERTS{alertname="EntenteWorkerGone",alertstate="firing",member="fr-lab"}'
holds 'ALERTS{alertname="EntenteWorkerGone",alertstate="firing",member="jp-lab"}' && fail "the alert names the other member too"
start_worker fr-lab "$fr_http"
wait_for 90 "the worker is back" holds 'sum(entente_workers{state="attached"}) == 2'
alert_is_over() { ! holds 'ALERTS{alertname="EntenteWorkerGone",alertstate="firing"}' && holds 'sum(up) == 3'; }
wait_for 90 "the alert is over" alert_is_over
echo "Prometheus saw three rounds, and a worker go and come back"
