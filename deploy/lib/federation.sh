# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced, never run: what the scripts share that run a federation of the real programs on this machine.
#
# The script sets before it sources this
#   script       its name, which stands before everything it says to standard error
#   repository   the root of the source tree
# and before it calls what is under "A federation"
#   bin          the folder of the programs
#   pki          the folder of authorities and certificates
#   members      ids, in order; jurisdiction[ID] is the country of each, FR where it is not set
# and, after it has sourced this and if the default does not do,
#   host         where workers and submitter find the coordinator (default: 127.0.0.1)
#   coordinator_prefix   an array, what stands before the coordinator's program (default: nothing)
#   restart_seconds_max  how long a coordinator that was killed by hand may be away (default: 600)
#   answer_seconds_max   how long one that is there may leave a question unanswered (default: 30)
# and gets
#   pids         every process that runs in the background, all of which are stopped at the end
#   started      the process that was started last
#   coordinator, port    the coordinator's process, and where it listens
#   coordinator_folder   the folder with its data
#   worker_pid           of start_five, or the script's own: the process of each member's worker
#   dashboard            the address of its dashboard
#   dataset              of split_images: the folder of the images
#   as_submitter         a command: `entente` as the submitter, at this coordinator

fail() { echo "$script: $*" >&2; exit 1; }
bad_usage() { echo "$script: $*; see --help" >&2; exit 2; }
is_number() { [[ "$1" =~ ^[0-9]{1,15}$ ]]; }
is_count() { is_number "$1" && [ "$1" -ge 1 ]; }
# must_be_new OPTION FOLDER: makes it; refuses one that holds anything, or that cannot be written to.
must_be_new() {
  local why
  if [ -e "$2" ] && [ ! -d "$2" ]; then bad_usage "$1 $2 is there and is no folder; name a new folder"; fi
  if [ -d "$2" ] && [ -n "$(ls -A "$2")" ]; then bad_usage "$1 $2 is not empty; name a new folder"; fi
  why=$(mkdir -p -- "$2" 2>&1) || bad_usage "$1 $2 cannot be made (${why##*: }); name another folder"
  [ -w "$2" ] || bad_usage "$1 $2 may not be written to; name another folder"
}

# ---- Processes ------------------------------------------------------------------------------------------

pids=()
# start COMMAND...: in the background, stopped at the end.
start() {
  "$@" &
  started=$!
  pids+=("$started")
}
# finish PID: waits for it; a signal ends the wait, where a command in the foreground would hold it up.
finish() {
  local code=0
  wait "$1" || code=$?
  forget "$1"
  return "$code"
}
# kill_now PID...: by SIGKILL, all at once, and waits for them; the shell does not say that they were killed. Fails if there
# was nobody to kill.
kill_now() {
  local pid
  kill -KILL "$@" || return
  for pid in "$@"; do finish "$pid" 2>/dev/null || true; done
}
# forget PID: it has ended, or is not ours to stop any more.
forget() {
  local pid left=()
  for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
  pids=("${left[@]}")
}
run() {
  start "$@"
  finish "$started"
}
stop_all() {
  adopt_coordinator
  adopt_workers
  [ ${#pids[@]} -gt 0 ] || return 0
  kill -TERM "${pids[@]}" 2>/dev/null || true
  kill -CONT "${pids[@]}" 2>/dev/null || true  # One that is held, to hear the other.
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
# stop_at_end COMMAND...: whatever way the script ends, its processes are stopped, and then COMMAND is run with
# the exit code as one more argument.
stop_at_end() {
  at_end=("$@")
  trap end_script EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}
end_script() {
  local code=$?
  trap - EXIT INT TERM
  stop_all
  "${at_end[@]}" "$code"
  exit "$code"
}

# await_that SECONDS WHAT COMMAND...: until the command succeeds; so many seconds at most.
await_that() {
  local seconds=$1 what=$2 until=$((SECONDS + $1))
  shift 2
  while ! "$@"; do
    [ "$SECONDS" -lt "$until" ] || fail "$what: not within $seconds s"
    sleep 0.2
  done
}

# build_programs PRESET LOG [OPTION...]: Ninja itself, for `cmake --build` does not pass a signal on to it.
build_programs() {
  local preset=$1 log=$2
  shift 2
  run in_repository "$preset" "$@" >"$log" 2>&1 || fail "the build failed; see $log"
  bin="$repository/build/$preset/bin"
}
in_repository() {
  local preset=$1
  shift
  cd "$repository" && cmake --preset "$preset" "$@" && exec ninja -C "build/$preset" -j "$(nproc)"
}

# ---- A federation ---------------------------------------------------------------------------------------

declare -A jurisdiction=() worker_pid=()
host=127.0.0.1
coordinator=""
coordinator_folder=""

# certify_alliance SUBMITTER: the alliance's authority, the coordinator's certificate and one submitter's.
certify_alliance() {
  local addresses=(--dns localhost --ip 127.0.0.1)
  if [ "$host" != 127.0.0.1 ]; then addresses+=(--ip "$host"); fi
  "$bin/entente" pki init --trust-domain alliance.example --name "The alliance" --directory "$pki/alliance"
  "$bin/entente" pki issue --authority "$pki/alliance" --role coordinator --name coordinator "${addresses[@]}" --output "$pki"
  "$bin/entente" pki issue --authority "$pki/alliance" --role submitter --name "$1" --output "$pki"
}
# certify_member MEMBER WORKER...: the member's own authority, and a certificate for each of its workers.
certify_member() {
  local member=$1 worker
  shift
  "$bin/entente" pki init --trust-domain "$member.example" --name "$member" --directory "$pki/$member"
  for worker in "$@"; do "$bin/entente" pki issue --authority "$pki/$member" --role worker --name "$worker" --output "$pki/$member"; done
}

# coordinator_yaml LISTEN FOLDER: prints the configuration of a coordinator of the members, which keeps its data
# and the file with its port in FOLDER. More lines may follow it.
coordinator_yaml() {
  cat <<YAML
apiVersion: entente/v1
kind: Coordinator
listen: $1
portFile: $2/port
dataDirectory: $2
http:
  listen: 127.0.0.1:0
  portFile: $2/http-port
tls:
  certificate: $pki/coordinator-coordinator.crt
  privateKey: $pki/coordinator-coordinator.key
alliance:
  trustDomain: alliance.example
  authority: $pki/alliance/authority.crt
members:
YAML
  local member
  for member in "${members[@]}"; do
    cat <<YAML
  - id: $member
    jurisdiction: ${jurisdiction[$member]:-FR}
    trustDomain: $member.example
    authority: $pki/$member/authority.crt
YAML
  done
}
# worker_yaml MEMBER WORKER WORK POLICY DATASET FORMAT DATA: prints the configuration of that worker, which works
# in the folder WORK and offers one data set from the folder DATA. More lines may follow it.
worker_yaml() {
  cat <<YAML
apiVersion: entente/v1
kind: Worker
coordinator: $host:$port
tls:
  certificate: $pki/$1/worker-$2.crt
  privateKey: $pki/$1/worker-$2.key
  authority: $pki/alliance/authority.crt
workDirectory: $3
policy: $4
datasets:
  - name: $5
    format: $6
    directory: $7
YAML
}

# policy_yaml SUBMITTER: prints a policy that allows whatever that submitter asks.
policy_yaml() {
  cat <<YAML
apiVersion: entente/v1
kind: LocalPolicy
rules:
  - name: the-submitter
    effect: allow
    submitters: ["spiffe://alliance.example/submitter/$1"]
YAML
}

# start_coordinator CONFIGURATION FOLDER LOG SUBMITTER [OPTION...]: and waits until it listens. FOLDER is the one of
# coordinator_yaml. What is in the array coordinator_prefix stands before the program. Ports that were drawn are written
# into CONFIGURATION: workers, browsers and submitters find there whoever is started with it again.
coordinator_prefix=()
start_coordinator() {
  local configuration=$1 folder=$2 log=$3 submitter=$4
  shift 4
  mkdir -p "$folder"
  rm -f "$folder/port" "$folder/http-port"
  start "${coordinator_prefix[@]}" "$bin/entente-coordinator" --config "$configuration" "$@" >>"$log" 2>&1
  coordinator=$started
  coordinator_folder=$folder
  for _ in $(seq 300); do
    [ -s "$folder/port" ] && break
    kill -0 "$coordinator" 2>/dev/null || fail "the coordinator did not start: $(tail -n 1 "$log")"
    sleep 0.1
  done
  [ -s "$folder/port" ] || fail "the coordinator is not listening after 30 s; see $log"
  port=$(cat "$folder/port")
  for _ in $(seq 100); do
    [ -s "$folder/http-port" ] && break
    sleep 0.1
  done
  [ -s "$folder/http-port" ] || fail "the coordinator has no dashboard 10 s after it began to listen; see $log"
  local http_port
  http_port=$(cat "$folder/http-port")
  dashboard="http://127.0.0.1:$http_port/"
  sed -i -e "s/^\(listen: .*\):0\$/\1:$port/" -e "s/^\(  listen: .*\):0\$/\1:$http_port/" "$configuration"
  as_submitter=("$bin/entente" --coordinator "$host:$port" --certificate "$pki/submitter-$submitter.crt"
    --private-key "$pki/submitter-$submitter.key" --authority "$pki/alliance/authority.crt")
}

# holder_of LOCK: the process that holds a program's lock file, whoever started it; nothing if there is none. One that was
# killed leaves its id in the file, so who is named there must have that file open.
holder_of() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  is_count "$pid" || return 0
  if [ -n "$(find -L "/proc/$pid/fd" -maxdepth 1 -samefile "$1" 2>/dev/null)" ]; then echo "$pid"; fi
}
# adopt_coordinator: who was started by hand in the place of our coordinator is ours to stop.
adopt_coordinator() {
  [ -n "$coordinator_folder" ] || return 0
  local pid
  pid=$(holder_of "$coordinator_folder/journal.sqlite.lock")
  if [ -z "$pid" ] || [ "$pid" = "$coordinator" ]; then return 0; fi
  kill -0 "$coordinator" 2>/dev/null || forget "$coordinator"
  coordinator=$pid
  pids+=("$pid")
}
# adopt_workers: likewise of start_five's workers.
adopt_workers() {
  [ -n "$coordinator_folder" ] || return 0
  local member pid
  for member in "${!worker_pid[@]}"; do
    pid=$(holder_of "${coordinator_folder%/*}/work/$member/lock")
    if [ -z "$pid" ] || [ "$pid" = "${worker_pid[$member]}" ]; then continue; fi
    kill -0 "${worker_pid[$member]}" 2>/dev/null || forget "${worker_pid[$member]}"
    worker_pid[$member]=$pid
    pids+=("$pid")
  done
}

# await_attached COUNT: until so many workers are attached. A cohort is whoever is attached when its round opens,
# and the result depends on it.
await_attached() {
  local attached=0
  for _ in $(seq 600); do
    attached=$("${as_submitter[@]}" member list -o json 2>/dev/null | jq '[.members[]?.workers[]? | select(.connected)] | length' 2>/dev/null || echo 0)
    [ "$attached" = "$1" ] && return 0
    sleep 0.1
  done
  fail "only $attached of $1 workers attached within a minute"
}

# ---- The quickstart's federation --------------------------------------------------------------------------
# Five members with one worker each, who share Fashion-MNIST unequally.

five_members() {
  members=(kr-lab fr-lab in-lab br-lab ca-lab)
  jurisdiction=([kr-lab]=KR [fr-lab]=FR [in-lab]=IN [br-lab]=BR [ca-lab]=CA)
}
# certify_five: their certificates, the coordinator's and the submitter `researcher`'s.
certify_five() {
  certify_alliance researcher
  local member
  for member in "${members[@]}"; do certify_member "$member" gpu-1; done
}
# split_images FOLDER SEED: into FOLDER/data, what was done into FOLDER/split.json. Sets `dataset`, where the images
# are from, the test images included.
split_images() {
  local images
  images=$(dpkg -L dataset-fashion-mnist | grep '/train-images-idx3-ubyte.gz$')
  dataset=$(dirname "$images")
  run "$bin/entente-trainer" split --images "$images" --labels "$dataset/train-labels-idx1-ubyte.gz" \
    --members "$(IFS=,; echo "${members[*]}")" --output "$1/data" --alpha 0.5 --held-out 0.1 \
    --seed "$2" >"$1/split.json" 2>"$1/logs/split.log" || fail "the split failed: $(tail -n 1 "$1/logs/split.log")"
  chmod -R go= "$1/data"
}
# five_recipe ROUNDS SEED: prints the quickstart's recipe, with so many rounds. Each waits for all five: whatever is
# killed and comes back, the model is the same.
five_recipe() {
  sed -e "s/^rounds:.*/rounds: $1/" -e "s/^\( *\)seed:.*/\1seed: $2/" \
    -e "s/^\( *\)count:.*/\1count: ${#members[@]}/" "$repository/configs/recipes/fashion-mnist.yaml"
}
# start_five FOLDER PORT [OPTION...]: coordinator and workers, all with the options, with their data from FOLDER/data,
# until all are attached. Logs are in FOLDER/logs.
start_five() {
  local folder=$1 member
  {
    coordinator_yaml "127.0.0.1:$2" "$folder/coordinator"
    echo "heartbeatInterval: 1s"
  } >"$folder/coordinator.yaml"
  shift 2
  start_coordinator "$folder/coordinator.yaml" "$folder/coordinator" "$folder/logs/coordinator.log" researcher "$@"
  for member in "${members[@]}"; do
    worker_yaml "$member" gpu-1 "$folder/work/$member" "$repository/configs/policies/research.yaml" \
      fashion-mnist idx "$folder/data/$member" >"$folder/$member.yaml"
    start_one_of_five "$folder" "$member" "$@"
  done
  await_attached ${#members[@]}
}
# start_one_of_five FOLDER MEMBER [OPTION...]: that member's worker, for the first time or again.
start_one_of_five() {
  local folder=$1 member=$2
  shift 2
  start "$bin/entente-worker" --config "$folder/$member.yaml" "$@" >>"$folder/logs/$member.log" 2>&1
  worker_pid[$member]=$started
}
# finish_with_coordinator PID: as finish, for what cannot end without the coordinator. If that is killed by hand, says how
# to start it again, and waits for whoever does. On a terminal PID is held meanwhile: its live picture would be drawn over
# what is said, for nothing.
restart_seconds_max=600
finish_with_coordinator() {
  local gone_since=""
  while kill -0 "$1" 2>/dev/null; do
    kill -0 "$coordinator" 2>/dev/null || adopt_coordinator
    if kill -0 "$coordinator" 2>/dev/null; then
      if [ -n "$gone_since" ] && [ -t 1 ]; then
        # The picture is drawn over the lines before the cursor, a screen of them at most.
        # shellcheck disable=SC2046
        printf '\n%.0s' $(seq "$(tput lines 2>/dev/null || echo 24)")
        kill -CONT "$1" 2>/dev/null || true
      fi
      gone_since=""
    elif [ -z "$gone_since" ]; then
      gone_since=$SECONDS
      if [ -t 1 ]; then kill -STOP "$1" 2>/dev/null || true; fi
      say_how_to_start_it_again
    elif [ $((SECONDS - gone_since)) -ge "$restart_seconds_max" ]; then
      fail "the coordinator has ended, and nobody started it again within $restart_seconds_max s"
    fi
    sleep 0.2
  done
  finish "$1"
}
# ask COMMAND...: `entente COMMAND...` as the submitter; where nobody answers because the coordinator was killed by hand,
# likewise. A coordinator that is there is given the time to begin to listen, or to end, and no more.
answer_seconds_max=30
ask() {
  local code errors was_said=false there_since="" until=$((SECONDS + restart_seconds_max))
  while true; do
    code=0
    { errors=$("${as_submitter[@]}" "$@" 2>&1 >&3 3>&-) || code=$?; } 3>&1
    if [ "$code" -ne 5 ] || [ "$SECONDS" -ge "$until" ]; then break; fi
    adopt_coordinator
    if kill -0 "$coordinator" 2>/dev/null; then
      there_since=${there_since:-$SECONDS}
      if [ $((SECONDS - there_since)) -ge "$answer_seconds_max" ]; then break; fi
    else
      there_since=""
      $was_said || say_how_to_start_it_again
      was_said=true
    fi
    sleep 0.2
  done
  [ -z "$errors" ] || echo "$errors" >&2
  return "$code"
}
say_how_to_start_it_again() {
  echo "$script: the coordinator has ended, and the job waits for it; start it again with: $(coordinator_command)" >&2
}
# coordinator_command: prints what starts the coordinator of start_five again, where it was.
coordinator_command() { printf '%q --config %q' "$bin/entente-coordinator" "${coordinator_folder%/*}/coordinator.yaml"; }
# start_test RECIPE_JSON MODEL RESULT LOG: starts the evaluation of a model on the 10,000 test images.
start_test() {
  start "$bin/entente-trainer" evaluate --recipe "$1" --model "$2" \
    --dataset-format idx --data "$dataset" --part test -o json >"$3" 2>>"$4"
}
