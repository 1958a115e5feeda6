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

repository=$(cd "$(dirname "$0")/.." && pwd)
script=quickstart
# shellcheck source-path=SCRIPTDIR source=lib/federation.sh
. "$repository/deploy/lib/federation.sh"

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
    --rounds) is_count "$value" || bad_usage "--rounds must be a number from 1, not '$value'"; rounds=$value ;;
    --port) is_number "$value" && [ "$value" -le 65535 ] || bad_usage "--port must be 0 to 65535, not '$value'"; port=$value ;;
    --seed) is_number "$value" || bad_usage "--seed must be a number, not '$value'"; seed=$value ;;
    --out) [ -n "$value" ] || bad_usage "--out needs a folder"; out=$value ;;
    --preset) [[ "$value" = release || "$value" = dev ]] || bad_usage "--preset must be release or dev, not '$value'"; preset=$value ;;
  esac
done
must_be_new --out "$out"

five_members

where_the_logs_are() {
  if [ "$1" -ne 0 ] && [ -d "$out/logs" ]; then echo "quickstart: the logs are in $out/logs" >&2; fi
}
stop_at_end where_the_logs_are

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
build_programs "$preset" "$out/logs/build.log"

step pki "Making an authority for the alliance and for each member, and a certificate for every process"
pki="$out/pki"
certify_five >>"$out/logs/pki.log"

step split "Splitting 60,000 images among five members: Dirichlet(0.5) labels, unequal sizes, 10 % held out"
split_images "$out" "$seed"

step start "Starting one coordinator and five workers"
start_five "$out" "$port"
# Who kills one by hand need not hear of that from the shell. One that has ended already is no job any more.
disown "$coordinator" "${worker_pid[@]}" 2>/dev/null || true
echo "watch it in a browser: $dashboard"
echo "look at it in a terminal: $(printf '%q ' "${as_submitter[@]}")top"
echo "kill it and start it again, and the job goes on: kill -9 $coordinator; $(coordinator_command)"

step train "Training"
recipe="$repository/configs/recipes/fashion-mnist.yaml"
if [ -z "$rounds" ]; then rounds=$(sed -n 's/^rounds: *\([0-9]*\).*/\1/p' "$recipe"); fi
five_recipe "$rounds" "$seed" >"$out/recipe.yaml"
ask job submit "$out/recipe.yaml" --dry-run -o json >"$out/recipe.json"
job_token="quickstart-$(sha256sum "$out/recipe.yaml" | cut -c1-16)"
start "${as_submitter[@]}" job submit "$out/recipe.yaml" --token "$job_token" --watch
finish_with_coordinator "$started" || fail "the job did not complete"
job=$(ask job list -o json | jq -r '.jobs[0].id')
ask job show "$job" -o json >"$out/job.json"
rounds=$(jq -r .roundsCommitted "$out/job.json")
ask round show "$job" "$rounds" -o json >"$out/last-round.json"

step evaluate "Evaluating the final model on the 10,000 test images"
ask model pull "$job" --output "$out/model.safetensors" >>"$out/logs/pull.log"
ask model list --job "$job" -o json >"$out/models.json"
jq -c .recipe "$out/recipe.json" >"$out/recipe-complete.json"
test_accuracy() { start_test "$out/recipe-complete.json" "$1" "$2" "$out/logs/evaluate.log"; }  # MODEL RESULT
test_accuracy "$out/model.safetensors" "$out/test.json"
finish "$started" || fail "the evaluation failed; see $out/logs/evaluate.log"

step alone "For comparison: the same model, trained by each member alone for as many rounds"
initial=$(jq -r '.models[-1].digest' "$out/models.json")
ask model pull "$initial" --output "$out/initial.safetensors" >>"$out/logs/pull.log"
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
  cat >"$out/stop.sh" <<'SH'
#!/bin/sh
# Stops the coordinator and the workers of this folder, whoever started them: each keeps its lock's file open, with its
# process id in it.
folder=$(dirname "$0")
for lock in "$folder/coordinator/journal.sqlite.lock" "$folder"/work/*/lock; do
  pid=$(cat "$lock" 2>/dev/null)
  case $pid in "" | *[!0-9]*) continue ;; esac
  if [ -n "$(find -L "/proc/$pid/fd" -maxdepth 1 -samefile "$lock" 2>/dev/null)" ]; then kill -TERM "$pid"; fi
done
SH
  chmod +x "$out/stop.sh"
  echo "coordinator and workers go on at 127.0.0.1:$port, the dashboard at $dashboard; stop them with $out/stop.sh"
  disown -a
  pids=()
  coordinator_folder=""
fi
