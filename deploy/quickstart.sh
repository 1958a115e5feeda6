#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Five countries train one model together, on this machine: one coordinator, five workers, real data that
# stays in five private folders, mutual TLS between all of them. See `--help`, and README.md for what it
# prints.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/quickstart.sh [options]

Installs what is missing, builds, makes certificates, splits Fashion-MNIST among five members, trains
one model with them over mutual TLS, and compares it with the same model trained by each alone.

Options:
  --rounds N        rounds to train (default: the recipe's)
  --out DIR         where logs, model and result.json go; must be new or empty (default: out)
  --port P          the coordinator's port on 127.0.0.1; 0 picks a free one (default: 0)
  --seed S          seeds the split, the initial model and the training (default: 1)
  --keep-running    leave coordinator and workers running at the end; stop them with DIR/stop.sh
  --preset NAME     which of CMakePresets.json to build and run: release, or dev to hunt a bug with the
                    sanitizers (default: release)
  --help            this text

Exit codes: 0 done, 1 failed, 2 bad usage, 130 interrupted, 143 terminated. Every process it started is stopped at the
end, also on Ctrl-C and on error.
TEXT
}

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

bad_usage() {
  echo "quickstart: $*; see --help" >&2
  exit 2
}

is_number() { [[ "$1" =~ ^[0-9]{1,15}$ ]]; }

repository=$(cd "$(dirname "$0")/.." && pwd)
rounds=""
out=out
port=0
seed=1
keep_running=false
preset=release
while [ $# -gt 0 ]; do
  option=$1
  case "$option" in
    --help|-h) usage; exit 0 ;;
    --keep-running) keep_running=true; shift; continue ;;
    --rounds|--out|--port|--seed|--preset) [ $# -ge 2 ] || bad_usage "$option needs a value" ;;
    --*=*) set -- "${option%%=*}" "${option#*=}" "${@:2}"; continue ;;
    *) bad_usage "unknown option $option" ;;
  esac
  value=$2
  shift 2
  case "$option" in
    --rounds) is_number "$value" && [ "$value" -ge 1 ] || bad_usage "--rounds must be a number from 1, not '$value'"; rounds=$value ;;
    --port) is_number "$value" && [ "$value" -le 65535 ] || bad_usage "--port must be 0 to 65535, not '$value'"; port=$value ;;
    --seed) is_number "$value" || bad_usage "--seed must be a number, not '$value'"; seed=$value ;;
    --out) [ -n "$value" ] || bad_usage "--out needs a folder"; out=$value ;;
    --preset) [[ "$value" = release || "$value" = dev ]] || bad_usage "--preset must be release or dev, not '$value'"; preset=$value ;;
  esac
done
if [ -d "$out" ] && [ -n "$(ls -A "$out")" ]; then bad_usage "--out $out is not empty; name a new folder"; fi

# Members by id, and the jurisdiction of each.
members=(kr-lab fr-lab in-lab br-lab ca-lab)
declare -A jurisdiction=([kr-lab]=KR [fr-lab]=FR [in-lab]=IN [br-lab]=BR [ca-lab]=CA)

# ---- Stopping ---------------------------------------------------------------------------------------

pids=()
# start COMMAND...: in the background, stopped at the end. Its process id is then in $started.
start() {
  "$@" &
  started=$!
  pids+=("$started")
}
# finish PID: waits for it; a signal ends the wait, where a command in the foreground would hold it up.
finish() {
  local code=0
  wait "$1" || code=$?
  local pid left=()
  for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
  pids=("${left[@]}")
  return "$code"
}
run() {
  start "$@"
  finish "$started"
}

stop_all() {
  [ ${#pids[@]} -gt 0 ] || return 0
  kill -TERM "${pids[@]}" 2>/dev/null || true
  # Every program drains within its drain time, the coordinator within twice its; what is left after
  # that is ended.
  for _ in $(seq 250); do
    kill -0 "${pids[@]}" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  pids=()
}
on_exit() {
  local code=$?
  trap - EXIT INT TERM
  stop_all
  if [ "$code" -ne 0 ] && [ -d "$out/logs" ]; then echo "quickstart: the logs are in $out/logs" >&2; fi
  exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Steps, each timed for result.json -----------------------------------------------------------------

seconds_json="{}"
step_name=""
step_began=0
step() {
  local now
  now=$(date +%s.%N)
  if [ -n "$step_name" ]; then
    seconds_json=$(jq -c --arg name "$step_name" --arg from "$step_began" --arg to "$now" \
      '.[$name] = ((($to | tonumber) - ($from | tonumber)) * 1000 | round / 1000)' <<<"$seconds_json")
  fi
  step_name=${1:-}
  step_began=$now
  if [ $# -gt 1 ]; then echo "== $2"; fi
}

"$repository/deploy/packages/install.sh" build run
mkdir -p "$out/logs"
out=$(cd "$out" && pwd)

step build "Building (the first time takes some minutes; log in $out/logs/build.log)"
build() {
  # Ninja itself, for `cmake --build` does not pass a signal on to it.
  cd "$repository" && cmake --preset "$preset" && exec ninja -C "build/$preset" -j "$(nproc)"
}
run build >"$out/logs/build.log" 2>&1 || fail "the build failed; see $out/logs/build.log"
bin="$repository/build/$preset/bin"

step pki "Making an authority for the alliance and for each member, and a certificate for every process"
pki="$out/pki"
"$bin/entente" pki init --trust-domain alliance.example --name "The alliance" --directory "$pki/alliance" >>"$out/logs/pki.log"
"$bin/entente" pki issue --authority "$pki/alliance" --role coordinator --name coordinator \
  --dns localhost --ip 127.0.0.1 --output "$pki" >>"$out/logs/pki.log"
"$bin/entente" pki issue --authority "$pki/alliance" --role submitter --name researcher --output "$pki" >>"$out/logs/pki.log"
for member in "${members[@]}"; do
  "$bin/entente" pki init --trust-domain "$member.example" --name "$member" --directory "$pki/$member" >>"$out/logs/pki.log"
  "$bin/entente" pki issue --authority "$pki/$member" --role worker --name gpu-1 --output "$pki/$member" >>"$out/logs/pki.log"
done

step split "Splitting 60,000 images among five members: Dirichlet(0.5) labels, unequal sizes, 10 % held out"
images=$(dpkg -L dataset-fashion-mnist | grep '/train-images-idx3-ubyte.gz$')
dataset=$(dirname "$images")
run "$bin/entente-trainer" split --images "$images" --labels "$dataset/train-labels-idx1-ubyte.gz" \
  --members "$(IFS=,; echo "${members[*]}")" --output "$out/data" --alpha 0.5 --held-out 0.1 \
  --seed "$seed" >"$out/split.json" 2>"$out/logs/split.log" || fail "the split failed: $(tail -n 1 "$out/logs/split.log")"
chmod -R go= "$out/data"

step start "Starting one coordinator and five workers"
{
  cat <<YAML
apiVersion: entente/v1
kind: Coordinator
listen: 127.0.0.1:$port
portFile: $out/coordinator/port
dataDirectory: $out/coordinator
tls:
  certificate: $pki/coordinator-coordinator.crt
  privateKey: $pki/coordinator-coordinator.key
alliance:
  trustDomain: alliance.example
  authority: $pki/alliance/authority.crt
heartbeatInterval: 1s
members:
YAML
  for member in "${members[@]}"; do
    cat <<YAML
  - id: $member
    jurisdiction: ${jurisdiction[$member]}
    trustDomain: $member.example
    authority: $pki/$member/authority.crt
YAML
  done
} >"$out/coordinator.yaml"
mkdir -p "$out/coordinator"
start "$bin/entente-coordinator" --config "$out/coordinator.yaml" >"$out/logs/coordinator.log" 2>&1
coordinator=$started
for _ in $(seq 100); do
  [ -s "$out/coordinator/port" ] && break
  kill -0 "$coordinator" 2>/dev/null || fail "the coordinator did not start: $(tail -n 1 "$out/logs/coordinator.log")"
  sleep 0.1
done
[ -s "$out/coordinator/port" ] || fail "the coordinator is not listening after 10 s; see $out/logs/coordinator.log"
port=$(cat "$out/coordinator/port")

for member in "${members[@]}"; do
  cat >"$out/$member.yaml" <<YAML
apiVersion: entente/v1
kind: Worker
coordinator: 127.0.0.1:$port
tls:
  certificate: $pki/$member/worker-gpu-1.crt
  privateKey: $pki/$member/worker-gpu-1.key
  authority: $pki/alliance/authority.crt
workDirectory: $out/work/$member
policy: $repository/configs/policies/research.yaml
datasets:
  - name: fashion-mnist
    format: idx
    directory: $out/data/$member
YAML
  start "$bin/entente-worker" --config "$out/$member.yaml" >"$out/logs/$member.log" 2>&1
done

as_researcher=("$bin/entente" --coordinator "127.0.0.1:$port" --certificate "$pki/submitter-researcher.crt"
  --private-key "$pki/submitter-researcher.key" --authority "$pki/alliance/authority.crt")
# The cohort is whoever is attached when a round opens, and the result depends on it: wait for all five.
for _ in $(seq 300); do
  attached=$("${as_researcher[@]}" member list -o json 2>/dev/null | jq '[.members[]?.workers[]? | select(.connected)] | length' 2>/dev/null || echo 0)
  [ "$attached" = 5 ] && break
  sleep 0.1
done
[ "$attached" = 5 ] || fail "only $attached of 5 workers attached within 30 s; see $out/logs"

step train "Training"
recipe="$repository/configs/recipes/fashion-mnist.yaml"
if [ -z "$rounds" ]; then rounds=$(sed -n 's/^rounds: *\([0-9]*\).*/\1/p' "$recipe"); fi
sed -e "s/^rounds:.*/rounds: $rounds/" -e "s/^\( *\)seed:.*/\1seed: $seed/" "$recipe" >"$out/recipe.yaml"
"${as_researcher[@]}" job submit "$out/recipe.yaml" --dry-run -o json >"$out/recipe.json"
job_token="quickstart-$(sha256sum "$out/recipe.yaml" | cut -c1-16)"
run "${as_researcher[@]}" job submit "$out/recipe.yaml" --token "$job_token" --watch || fail "the job did not complete"
job=$("${as_researcher[@]}" job list -o json | jq -r '.jobs[0].id')
"${as_researcher[@]}" job show "$job" -o json >"$out/job.json"
rounds=$(jq -r .roundsCommitted "$out/job.json")
"${as_researcher[@]}" round show "$job" "$rounds" -o json >"$out/last-round.json"

step evaluate "Evaluating the final model on the 10,000 test images"
"${as_researcher[@]}" model pull "$job" --output "$out/model.safetensors" >>"$out/logs/pull.log"
"${as_researcher[@]}" model list --job "$job" -o json >"$out/models.json"
jq -c .recipe "$out/recipe.json" >"$out/recipe-complete.json"
test_accuracy() {  # MODEL RESULT: starts the evaluation of a model on the test images
  start "$bin/entente-trainer" evaluate --recipe "$out/recipe-complete.json" --model "$1" \
    --dataset-format idx --data "$dataset" --part test -o json >"$2" 2>>"$out/logs/evaluate.log"
}
test_accuracy "$out/model.safetensors" "$out/test.json"
finish "$started" || fail "the evaluation failed; see $out/logs/evaluate.log"

step alone "For comparison: the same model, trained by each member alone for as many rounds"
initial=$(jq -r '.models[-1].digest' "$out/models.json")
"${as_researcher[@]}" model pull "$initial" --output "$out/initial.safetensors" >>"$out/logs/pull.log"
mkdir -p "$out/alone"
train_alone() {  # MEMBER: starts its training
  start "$bin/entente-trainer" train --recipe "$out/recipe-complete.json" --dataset-format idx --data "$out/data/$1" \
    --initial-model "$out/initial.safetensors" --rounds "$rounds" --output "$out/alone/$1.safetensors" \
    >"$out/logs/alone-$1.log" 2>&1
}
evaluate_alone() { test_accuracy "$out/alone/$1.safetensors" "$out/alone/$1.json"; }
# Two at a time, one a core on the smallest machine.
for work in train_alone evaluate_alone; do
  before=""
  for member in "${members[@]}"; do
    "$work" "$member"
    if [ -n "$before" ]; then finish "$before" || fail "$work failed; see $out/logs"; fi
    before=$started
  done
  finish "$before" || fail "$work failed; see $out/logs"
done

# ---- The result -------------------------------------------------------------------------------------

step ""
jurisdictions=$(for member in "${members[@]}"; do printf '{"%s":"%s"}' "$member" "${jurisdiction[$member]}"; done | jq -cs add)
alone=$(for member in "${members[@]}"; do jq -c --arg id "$member" '{($id): .accuracy}' "$out/alone/$member.json"; done | jq -cs add)
jq -n --slurpfile job "$out/job.json" --slurpfile round "$out/last-round.json" --slurpfile test "$out/test.json" \
  --argjson seconds "$seconds_json" --argjson jurisdictions "$jurisdictions" --argjson alone "$alone" \
  --arg ids "${members[*]}" '
  ($ids | split(" ")) as $order |
  {
    accuracy: $test[0].accuracy,
    rounds: $job[0].roundsCommitted,
    model_digest: $job[0].modelDigest,
    seconds: $seconds,
    bytes_up: $job[0].bytesUp,
    bytes_down: $job[0].bytesDown,
    members: [$order[] as $id | ($round[0].participants[] | select(.member == $id)) | {
      id: $id, jurisdiction: $jurisdictions[$id], examples: (.examples // 0), weight: (.weight // 0),
      accuracy: .evaluation.accuracy, accuracy_alone: $alone[$id]
    }]
  }' >"$out/result.json"

echo
jq -r '
  def pad($n): tostring | . + (" " * ([0, $n - length] | max));
  def percent: if . == null then "-" else (. * 10000 | round / 100 | tostring) + " %" end;
  ("member" | pad(10)) + ("country" | pad(9)) + ("examples" | pad(10)) + ("weight" | pad(9)) +
    ("global model on its own held-out" | pad(34)) + "alone, on the test images",
  (.members[] | (.id | pad(10)) + (.jurisdiction | pad(9)) + (.examples | pad(10)) +
    (.weight | percent | pad(9)) + (.accuracy | percent | pad(34)) + (.accuracy_alone | percent)),
  "",
  "together, on the test images: \(.accuracy | percent) after \(.rounds) rounds, \(.seconds.train) s",
  "model \(.model_digest)"
' "$out/result.json"
echo "logs, model and result.json are in $out"

if $keep_running; then
  printf '#!/bin/sh\nkill -TERM %s\n' "${pids[*]}" >"$out/stop.sh"
  chmod +x "$out/stop.sh"
  echo "coordinator and workers go on at 127.0.0.1:$port; stop them with $out/stop.sh"
  disown -a
  pids=()
fi
