#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# live_picture_test.sh: what the scripts say on a terminal where a live picture is drawn. When the coordinator is killed by
# hand, the command that starts it again is the last thing on the screen until somebody has; then the picture goes on, below.
# Who draws and who coordinates are stand-ins.
set -euo pipefail
export TERM=xterm
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*, $(cat -v "$folder/screen.txt")" >&2; exit 1; }

cat >"$folder/watch.sh" <<'SH'
until [ -e "$1/enough" ]; do echo "the picture"; sleep 0.1; done
SH
cat >"$folder/script.sh" <<'SH'
set -euo pipefail
repository=$1 folder=$2 script=quickstart bin=/bin members=() pki=""
. "$repository/deploy/lib/federation.sh"
stop_at_end true
mkdir "$folder/coordinator"
start sleep 600
coordinator=$started coordinator_folder=$folder/coordinator
disown "$coordinator"
start bash "$folder/watch.sh" "$folder"
watch=$started
(
  sleep 1
  kill -KILL "$coordinator"
  until grep -q "has ended" "$folder/screen.txt"; do sleep 0.1; done
  sleep 1
  wc -c <"$folder/screen.txt" >"$folder/waiting.txt"
  sleep 1
  wc -c <"$folder/screen.txt" >"$folder/waiting-still.txt"
  # As a coordinator does: its id in the file of the lock, which it has open.
  seen=$(wc -c <"$folder/screen.txt")
  exec 9>"$folder/coordinator/journal.sqlite.lock"
  echo "$BASHPID" >&9
  until tail -c +$((seen + 1)) "$folder/screen.txt" | grep -q "the picture"; do sleep 0.1; done
  touch "$folder/enough"
  exec sleep 600
) &
by_hand=$!
code=0
finish_with_coordinator "$watch" || code=$?
kill "$by_hand"
exit "$code"
SH
code=0
script -qefc "stty rows 40 cols 80; bash $folder/script.sh $repository $folder" "$folder/screen.txt" >/dev/null </dev/null || code=$?
[ "$code" -eq 0 ] || fail "the script ended with $code"

said=$(grep -abo "quickstart: the coordinator has ended" "$folder/screen.txt" | head -n 1 | cut -d: -f1) || said=""
waiting=$(cat "$folder/waiting.txt")
[ -n "$said" ] || fail "nobody was told that the coordinator had ended"
[ "$waiting" -eq "$(cat "$folder/waiting-still.txt")" ] || fail "something was written while the script waited"
last=$(head -c "$waiting" "$folder/screen.txt" | tail -c +$((said + 1)) | tr -d '\r')
[[ "$last" = *"start it again with: "*"/entente-coordinator --config $folder/coordinator.yaml" ]] ||
  fail "the last thing on the screen was \"$last\""
tail -c +$((waiting + 1)) "$folder/screen.txt" | tr -d '\r' >"$folder/after.txt"
[ "$(sed '/^$/!Q' "$folder/after.txt" | wc -l)" -eq 40 ] || fail "the picture does not begin on a screen of its own"
grep -q "the picture" "$folder/after.txt" || fail "the picture does not go on"
if grep -a "Killed" "$folder/screen.txt"; then fail "the shell has its say about who was killed by hand"; fi
echo "the command that starts the coordinator again stays in sight"
