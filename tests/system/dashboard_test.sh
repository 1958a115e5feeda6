#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dashboard_test.sh BIN ARTEFACTS: a real browser looks at the dashboard of a run of five workers: every page, light and
# dark, on a desk and on a phone, without a word in the console and without a serious finding of axe-core; a round
# goes by, a worker dies and returns, a declined task and a refused update say why. Screenshots are kept in the folder ARTEFACTS. Exit code
# 77: what drives the browser could not be installed.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=dashboard_test
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"
# shellcheck source-path=SCRIPTDIR source=dashboard/browser.sh
. "$repository/tests/system/dashboard/browser.sh"

bin=$1
mkdir -p "$2"
artefacts=$(cd "$2" && pwd)
rm -f "$artefacts"/{federation,jobs,job,round,events}-*.png "$artefacts"/*.log # What is there is of this run.
five_members

work=$(mktemp -d)
clean_up() {
  if [ "$1" -ne 0 ] && [ "$1" -ne 77 ]; then
    cp "$work"/*.log "$artefacts"
    tail -n 5 "$work"/*.log >&2 || true
  fi
  rm -rf "$work"
}
stop_at_end clean_up

install_driver "$work/browser"

pki="$work/pki"
{
  certify_alliance researcher
  for member in "${members[@]}" odd-lab; do certify_member "$member" w; done
} >"$work/pki.log"
for member in "${members[@]}"; do
  mkdir -p "$work/data/$member"
  awk -v salt="${#member}$(printf '%d' "'$member")" 'BEGIN { print "x,y,class"; for (i = 0; i < 4000; i++) {
    x = (i * (37 + salt % 7) % 1009) / 504 - 1; y = (i * 53 % 1013) / 506 - 1; print x "," y "," (x * x + y * y > 0.6) } }' >"$work/data/$member/train.csv"
  head -n 200 "$work/data/$member/train.csv" >"$work/data/$member/held-out.csv"
done
# in-lab's trainer goes astray: its updates are beyond the value bound. It reads one number instead of a table.
echo 7 >"$work/data/in-lab/train.csv"
cp "$repository/tests/system/paced_trainer.py" "$work/paced_trainer.py"
policy_yaml researcher >"$work/policy.yaml"
cat >"$work/policy-of-ca-lab.yaml" <<'YAML'
apiVersion: entente/v1
kind: LocalPolicy
rules:
  - name: only-others
    effect: deny
    submitters: ["spiffe://alliance.example/submitter/researcher"]
YAML
cat >"$work/recipe.yaml" <<'YAML'
apiVersion: entente/v1
kind: Recipe
name: circle
purpose: research on what can be seen
dataset: table
model: {builtin: {architecture: mlp, inputShape: [2], outputs: 2, hidden: [64, 64]}}
task: classification
training: {epochs: 3, batchSize: 16, learningRate: 0.05}
rounds: 100000
aggregation: {memberWeightCap: 0.6}
pacing:
  quorum: {count: 2} # So many are left while a worker is dead, one declines and one is refused.
  attempts: 100
YAML

{
  coordinator_yaml 127.0.0.1:0 "$work/coordinator"
  cat <<YAML
  - id: odd-lab
    displayName: "<script>alert(1)</script>"
    jurisdiction: JP
    trustDomain: odd-lab.example
    authority: $pki/odd-lab/authority.crt
heartbeatInterval: 1s
YAML
} >"$work/coordinator.yaml"
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
grep -q "dashboard=.*$dashboard" "$work/coordinator.log" || fail "the coordinator does not say where its dashboard is"
start_worker() { # MEMBER
  local policy="$work/policy.yaml"
  if [ -f "$work/policy-of-$1.yaml" ]; then policy="$work/policy-of-$1.yaml"; fi
  {
    worker_yaml "$1" w "$work/work/$1" "$policy" table csv "$work/data/$1"
    if [ "$1" = in-lab ]; then
      echo "trainer:"
      echo "  command: [/usr/bin/python3, $work/paced_trainer.py, \"0\", \"1000\"]"
      echo "  readOnlyPaths: [$work/paced_trainer.py]"
    fi
  } >"$work/$1.yaml"
  start "$bin/entente-worker" --config "$work/$1.yaml" >>"$work/$1.log" 2>&1
  worker_pid[$1]=$started
}
for member in "${members[@]}"; do start_worker "$member"; done
await_attached ${#members[@]}
job=$("${as_submitter[@]}" job submit "$work/recipe.yaml" -o json | jq -r .job.id)

coproc browser { cd "$work/browser" && exec node live_run.mjs "$dashboard" "$job" "$artefacts" 2>"$work/browser.log"; }
# The numbers are gone once it ends.
driver=$browser_PID from=${browser[0]} to=${browser[1]}
exec 3<&"$from" 4>&"$to"
pids+=("$driver")
while read -r word <&3; do
  case $word in
    kill)
      kill_now "${worker_pid[br-lab]}"
      ;;
    start)
      start_worker br-lab
      await_attached ${#members[@]}
      ;;
  esac
  echo done >&4
done
finish "$driver" || fail "the browser found: $(cat "$work/browser.log")"
cat "$work/browser.log"
kill -0 "$coordinator" || fail "the coordinator did not outlive the browser"
echo "screenshots are in $artefacts"
