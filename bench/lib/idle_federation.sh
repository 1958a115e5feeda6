# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced, never run, in the place of deploy/lib/federation.sh, which it sources: what only benches and tests ask of a
# federation, and one whose training costs nothing. The script sets what is explained there, and before it calls what says
# $work
#   work         the folder where it works

# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

# ---- Questions to a run -----------------------------------------------------------------------------------

# rounds_committed LOG: of how many rounds a `job watch` that writes there has told the end.
rounds_committed() { grep -c "^round [0-9]*/[0-9]*.* committed:" "$1" || true; }
# peak_bytes PID: the most memory that the process had at once.
peak_bytes() { awk '/^VmHWM/ {print $2 * 1024}' "/proc/$1/status"; }
# cpu_ticks PID: the processor time of the process and of those of its children that have ended, in ticks
# (getconf CLK_TCK).
cpu_ticks() { awk '{print $14 + $15 + $16 + $17}' "/proc/$1/stat"; }

# trainer_of PID NAME: the process of that name that the worker PID started, through others or itself; nothing if there
# is none.
trainer_of() {
  local child
  for child in $(pgrep -P "$1" || true); do
    if [ "$(cat "/proc/$child/comm" 2>/dev/null)" = "$2" ]; then
      echo "$child"
      return
    fi
    trainer_of "$child" "$2"
  done
}

# ---- A federation whose training costs nothing ------------------------------------------------------------
# The member `lab` with workers w1, w2, ...; bench/round_trip/idle_trainer.cc answers for their trainers.

# certify_lab SUBMITTER WORKER...: certificates of the alliance, that submitter, the lab and those workers. Sets `members`
# and `pki`, a folder in $work.
certify_lab() {
  local submitter=$1
  shift
  members=(lab)
  pki="$work/pki"
  {
    certify_alliance "$submitter"
    certify_member lab "$@"
  } >"$work/pki.log"
}

# start_idle_worker NUMBER FOLDER SUBMITTER [PREFIX...]: starts worker w<NUMBER>, which keeps its files in FOLDER and
# takes SUBMITTER's jobs. PREFIX stands before the program.
start_idle_worker() {
  local number=$1 folder=$2 submitter=$3
  shift 3
  mkdir -p "$folder/data/$number"
  echo "$number" >"$folder/data/$number/train.csv"
  # Its own: a worker that started before may be reading its policy at this moment.
  policy_yaml "$submitter" >"$folder/policy-$number.yaml"
  {
    worker_yaml lab "w$number" "$folder/work/$number" "$folder/policy-$number.yaml" nothing csv "$folder/data/$number"
    echo "trainer:"
    echo "  command: [$bin/entente-bench-trainer]"
  } >"$folder/worker-$number.yaml"
  start "$@" "$bin/entente-worker" --config "$folder/worker-$number.yaml" >"$folder/worker-$number.log" 2>&1
}

# idle_recipe MODEL ROUNDS WORKERS: prints a recipe that needs an update of every worker. More lines may follow it.
idle_recipe() {
  cat <<YAML
apiVersion: entente/v1
kind: Recipe
name: idle
purpose: research on the movement of models
dataset: nothing
model:
  builtin: {architecture: mlp, inputShape: [1], outputs: 1}
  initialWeights: {file: $1}
task: regression
training: {epochs: 1, batchSize: 1, optimizer: sgd, learningRate: 0.1}
rounds: $2
pacing:
  quorum: {count: $3}
evaluation:
  everyRounds: 0
YAML
}

# submit_recipe: starts the job of $work/recipe.yaml. Sets `job`, its id.
submit_recipe() {
  job=$("${as_submitter[@]}" job submit "$work/recipe.yaml" --trainer "$bin/entente-bench-trainer" -o json | jq -r .job.id)
}
# submit_idle PARAMETERS ROUNDS WORKERS: starts a job of idle_recipe, with a model of that size. Sets `job`.
submit_idle() {
  "$bin/entente-bench-trainer" model "$1" "$work/model.safetensors"
  idle_recipe "$work/model.safetensors" "$2" "$3" >"$work/recipe.yaml"
  submit_recipe
}

# show_logs_and_remove LINES CODE: for stop_at_end, which adds the exit code. Shows the last lines of every log in $work if
# the script failed (77: it was skipped), and removes $work.
show_logs_and_remove() {
  if [ "$2" -ne 0 ] && [ "$2" -ne 77 ]; then tail -n "$1" "$work"/*.log >&2 || true; fi
  rm -rf "$work"
}
