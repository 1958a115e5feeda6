#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# top_test.sh BIN: `entente top`, `job watch` and `job submit --watch` in a real terminal, tmux's, at a real coordinator
# with three workers whose training costs nothing. A round is seen to advance, the pane is resized, a killed worker is
# seen, and whatever way the view ends, the terminal is as it was: page, cursor, echo. Where there is no such terminal
# the program says so.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=top_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

bin=$1
work=$(mktemp -d)
clean_up() {
  in_tmux kill-server 2>/dev/null || true
  show_logs_and_remove 3 "$1"
}
in_tmux() { tmux -S "$work/tmux" -f /dev/null "$@"; }
stop_at_end clean_up

# ---- A federation with a job that runs and runs ------------------------------------------------------------

certify_lab researcher w1 w2 w3
coordinator_yaml 127.0.0.1:0 "$work/coordinator" >"$work/coordinator.yaml"
echo "heartbeatInterval: 300ms" >>"$work/coordinator.yaml"
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
for number in 1 2 3; do start_idle_worker "$number" "$work" researcher; done
third_worker=$started
await_attached 3
submit_idle 1000 100000 2

# ---- A terminal ----------------------------------------------------------------------------------------------

entente="${as_submitter[*]}"
in_tmux new-session -d -s t -x 120 -y 30 "exec env PS1='$ ' bash --norc --noprofile"
pane() { in_tmux capture-pane -p -t t; }
keys() { in_tmux send-keys -t t "$@"; }
# await TEXT: until the pane shows a line that fits it.
await() {
  for _ in $(seq 300); do
    pane | grep -q -- "$1" && return 0
    sleep 0.1
  done
  pane >&2
  fail "the terminal does not show '$1' within 30 s"
}
# type_line COMMAND: and its exit code, once it has ended, as "<word>=<code>".
words=0
type_line() {
  words=$((words + 1))
  keys -l "$1; echo word$words=\$?"
  keys Enter
}
# await_end CODE: the command has ended with it, and the terminal is as it was before.
await_end() {
  await "^word$words=$1\$"
  [ "$(in_tmux display-message -p -t t '#{alternate_on} #{cursor_flag} #{keypad_cursor_flag}')" = "0 1 0" ] ||
    fail "after '$words' the terminal is on another page, or without a cursor"
  type_line "stty -g >'$work/stty-after'"
  await "^word$words=0\$"
  cmp -s "$work/stty-before" "$work/stty-after" || fail "the terminal's mode was not restored: $(cat "$work"/stty-*)"
}
await '^\$'
type_line "stty -g >'$work/stty-before'"
await "^word$words=0\$"
# The process that the shell in the pane has started.
foreground() { pgrep -P "$(in_tmux display-message -p -t t '#{pane_pid}')" | tail -n 1; }

# ---- It is live, it resizes, it sees a worker die ---------------------------------------------------------------

round_shown() { pane | sed -n "s|.*$job  running  *\([0-9]*\)/100000.*|\1|p" | head -n 1; }
type_line "$entente top"
await "FEDERATION  1 member, 3 of 3 workers connected"
await "JOBS  1 running, 1 in all"
await "> $job  running  *[0-9]*/100000"
first=$(round_shown)
shows_a_later_round() {
  local now
  now=$(round_shown)
  [ -n "$now" ] && [ "$now" -gt "$first" ]
}
await_that 60 "a round after $first is shown" shows_a_later_round

in_tmux resize-window -t t -x 70 -y 16
for _ in $(seq 300); do
  [ "$(pane | wc -l)" -eq 16 ] && pane | tail -n 1 | grep -q "q quit" && break
  sleep 0.1
done
pane | tail -n 1 | grep -q "q quit" || { pane >&2; fail "the last line of a smaller terminal is not the keys"; }
in_tmux resize-window -t t -x 120 -y 30

kill_now "$third_worker"
await "2 of 3 workers connected"
await "lab/w3  gone"

keys '?'
await "page up, page down"
keys x
await "FEDERATION"
keys Enter
await "round [0-9]*/100000"
await "lab/w1"
await "Esc back"
keys Escape
await "FEDERATION"
keys q
await_end 0

# ---- However it ends ---------------------------------------------------------------------------------------------

for signal_and_code in TERM:130 HUP:130 INT:130; do
  type_line "$entente top"
  await "FEDERATION"
  kill "-${signal_and_code%:*}" "$(foreground)"
  await_end "${signal_and_code#*:}"
done
type_line "$entente top"
await "FEDERATION"
keys C-c
await_end 130

# ---- One job ---------------------------------------------------------------------------------------------------

type_line "$entente job watch $job"
await "^$job  running"
await "lab/w2"
keys q
await_end 130
await "stopped watching; the job goes on"
start "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1
watch=$started
await_that 60 "a piped watch tells a round" grep -q "^round [0-9]*/100000 committed" "$work/watch.log"
! grep -q $'\x1b' "$work/watch.log" || fail "a piped watch has escape sequences"
kill -TERM "$watch"
finish "$watch" || true

# A job that ends while it is watched ends the view, with the last picture left behind.
type_line "$entente job watch $job"
await "^$job  running"
"${as_submitter[@]}" job cancel "$job" >/dev/null
await_end 7
await "^$job  cancelled"

# ---- Where there is no such terminal -----------------------------------------------------------------------------

refused() { # WHY COMMAND...
  local why=$1 code=0
  shift
  "$@" >"$work/out.txt" 2>"$work/refused.txt" </dev/null || code=$?
  [ "$code" -eq 2 ] || fail "$* ended with $code, not 2"
  grep -q -- "$why" "$work/refused.txt" || fail "$* does not say '$why': $(cat "$work/refused.txt")"
  [ ! -s "$work/out.txt" ] || fail "$* printed $(cat "$work/out.txt")"
}
refused "wants a terminal" "${as_submitter[@]}" top
refused "draws for people" "${as_submitter[@]}" top -o json
type_line "TERM=dumb $entente top"
await "shows lines only"
await_end 2
type_line "TERM=no-such-terminal $entente top"
await "is not known on this machine"
await_end 2

# A worker that was not heard of for a moment comes back.
once_shows_two_workers() {
  "${as_submitter[@]}" top --once >"$work/once.txt" || fail "top --once does not work"
  grep -q "2 of 3 workers connected" "$work/once.txt"
}
await_that 30 "top --once shows 2 of 3 workers connected" once_shows_two_workers
grep -q "$job  cancelled" "$work/once.txt" || fail "top --once does not show the job"
! grep -q $'\x1b' "$work/once.txt" || fail "top --once has escape sequences"
[ "$("${as_submitter[@]}" top --once -o json | jq -r '.jobs[0].id')" = "$job" ] || fail "top --once -o json is not what it must be"

# ---- A job that is watched from its submission on ------------------------------------------------------------------

type_line clear
await "^word$words=0\$"
type_line "$entente job submit $work/recipe.yaml --trainer $bin/entente-bench-trainer --watch"
await "^idle-[a-z0-9]*  running"
await "lab/w2"
keys q
await_end 130
in_tmux capture-pane -p -S - -t t | grep -q '^job idle-[a-z0-9]* submitted$' || fail "the terminal does not keep the name of the job that was submitted"
echo "entente top is live, resizes, sees a worker die, and gives the terminal back"
