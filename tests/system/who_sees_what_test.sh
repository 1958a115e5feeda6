#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# who_sees_what_test.sh BIN: the table of docs/operations.md, row by row, at a real coordinator that serves HTTPS with
# client certificates and a token: nobody, every role of a member and of the alliance, and who shows the token. Then
# those that show something wrong: a token that is not the file's or not any more, a certificate of a stranger.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=who_sees_what_test
# shellcheck source-path=SCRIPTDIR source=../../bench/lib/idle_federation.sh
. "$repository/bench/lib/idle_federation.sh"

bin=$1
work=$(mktemp -d)
stop_at_end show_logs_and_remove 3

# ---- A coordinator with a job, and everybody's certificates -------------------------------------------------

certify_lab researcher w1
{
  for role in operator observer; do "$bin/entente" pki issue --authority "$pki/alliance" --role "$role" --name o --output "$pki"; done
  for role in submitter observer; do "$bin/entente" pki issue --authority "$pki/lab" --role "$role" --name o --output "$pki/lab"; done
  # Somebody who calls itself the alliance.
  "$bin/entente" pki init --trust-domain alliance.example --name "Somebody else" --directory "$work/stranger"
  "$bin/entente" pki issue --authority "$work/stranger" --role operator --name o --output "$work/stranger"
} >>"$work/pki.log"
# new_token WORD: as somebody replaces it, in one step.
new_token() {
  (umask 077 && echo "$1" >"$work/new.token")
  mv "$work/new.token" "$work/http.token"
}
token=the-first-token-0123456789
new_token "$token"
coordinator_yaml 127.0.0.1:0 "$work/coordinator" >"$work/coordinator.yaml"
sed -i "s|^  portFile: .*/http-port\$|&\n  tls: {certificate: $pki/coordinator-coordinator.crt, privateKey: $pki/coordinator-coordinator.key}\n  tokenFile: $work/http.token|" "$work/coordinator.yaml"
start_coordinator "$work/coordinator.yaml" "$work/coordinator" "$work/coordinator.log" researcher
grep -q tokenFile "$work/coordinator.yaml" || fail "the coordinator's configuration has no token"
address=${dashboard/http:/https:}
address=${address%/}
start_idle_worker 1 "$work" researcher
await_attached 1
submit_idle 1000 2 1
run timeout 120 "${as_submitter[@]}" job watch "$job" >"$work/watch.log" 2>&1 || fail "the job did not complete"
model=$("${as_submitter[@]}" job show "$job" -o json | jq -r .modelDigest)

# ---- The table ------------------------------------------------------------------------------------------------

# ask PATH [OPTION...]: the answer's body is in answer.txt, its status is printed; 000 if there was none.
ask() {
  local path=$1
  shift
  curl -s -m 60 --cacert "$pki/alliance/authority.crt" -o "$work/answer.txt" -w '%{http_code}' "$@" "$address$path" || true
}
show() { echo --cert "$1.crt" --key "$1.key"; }
nobody=("")
of_members=("$(show "$pki/lab/worker-w1")" "$(show "$pki/lab/submitter-o")" "$(show "$pki/lab/observer-o")" "$(show "$pki/submitter-researcher")")
operators=("$(show "$pki/operator-o")" "$(show "$pki/observer-o")" "--oauth2-bearer $token" "--basic --user anybody:$token")

# expect_answers WHAT YES_OR_NO REFUSAL PATHS VIEWER...: each viewer, the options of curl that show it, is answered, or
# refused with that status and a sentence.
expect_answers() {
  local what=$1 sees=$2 refusal=$3 paths=$4 path viewer status
  shift 4
  for viewer in "$@"; do
    for path in $paths; do
      local limit=()
      case $path in *stream*) limit=(-m 1) ;; esac # It would go on for ever.
      # shellcheck disable=SC2086
      status=$(ask "$path" $viewer "${limit[@]}")
      if [ "$sees" = yes ]; then
        [ "$status" = 200 ] || fail "$what: $path is answered $status to '$viewer': $(cat "$work/answer.txt")"
      else
        [ "$status" = "$refusal" ] || fail "$what: $path is answered $status to '$viewer', not $refusal"
        grep -q "this is for .*; show a certificate or a token of one" "$work/answer.txt" || fail "$what: $path is refused without a reason: $(cat "$work/answer.txt")"
      fi
    done
  done
}
# expect_nothing_to_change VIEWER...: none of them can, whatever it shows.
expect_nothing_to_change() {
  local viewer method
  for viewer in "$@"; do
    for method in POST PUT PATCH DELETE; do
      # shellcheck disable=SC2086
      [ "$(ask "/api/jobs/$job" $viewer -X "$method")" = 405 ] || fail "$method is not refused to '$viewer': $(cat "$work/answer.txt")"
    done
  done
}

asset=$(ask / >/dev/null && grep -o '/assets/[^"]*' "$work/answer.txt" | head -n 1)
[ -n "$asset" ] || fail "the page loads nothing"
rows=0
while IFS='|' read -r _ what public member operator _; do
  case $what in
    *"the pages, without anything in them"*) paths="/ /jobs /jobs/$job /jobs/$job/rounds/1 /events $asset" ;;
    *"(\`/api/summary\`)"*) paths=/api/summary ;;
    *"members, workers, jobs, rounds, events, recipes and models"*)
      paths="/api/federation /api/jobs /api/jobs/$job /api/jobs/$job/history /api/jobs/$job/rounds/1 /api/jobs/$job/recipe.yaml"
      paths="$paths /api/events /api/models/$model.safetensors /api/stream?page=federation"
      ;;
    *"\`/healthz\`"*) paths="/healthz /readyz" ;;
    *"\`/metrics\`"*) paths=/metrics ;;
    *"to cancel, pause or submit"*)
      [ "$public$member$operator" = " no  no  no " ] || fail "the table says that something can be changed here"
      expect_nothing_to_change "${nobody[@]}" "${of_members[@]}" "${operators[@]}"
      rows=$((rows + 1))
      continue
      ;;
    *) fail "the table has a row that this test does not know:$what" ;;
  esac
  expect_answers "$what" "${public// /}" 401 "$paths" "${nobody[@]}"
  expect_answers "$what" "${member// /}" 403 "$paths" "${of_members[@]}"
  expect_answers "$what" "${operator// /}" 403 "$paths" "${operators[@]}"
  rows=$((rows + 1))
done < <(sed -n '/^| | the public | members | operators |$/,/^$/p' "$repository/docs/operations.md" | grep '^|' | tail -n +3)
[ "$rows" -eq 6 ] || fail "the table of docs/operations.md has $rows rows, not 6"

# What the public sees names nobody.
for path in / "/jobs/$job" /api/summary; do
  ask "$path" >/dev/null
  ! grep -q -e '"lab' -e "$job" "$work/answer.txt" || fail "$path names somebody to the public: $(cat "$work/answer.txt")"
done

# ---- Who shows something wrong is refused, not taken for nobody -----------------------------------------------

expect_wrong_token() { # OPTION...
  [ "$(ask /api/summary "$@")" = 401 ] || fail "$* is not refused: $(cat "$work/answer.txt")"
  grep -q "the token is not the one of the token file, or not any more" "$work/answer.txt" || fail "$* is refused without the reason: $(cat "$work/answer.txt")"
  # A probe with it still learns that the program is alive and ready.
  local path
  for path in /healthz /readyz; do
    [ "$(ask "$path" "$@")" = 200 ] || fail "$path is not answered with $*: $(cat "$work/answer.txt")"
  done
}
expect_wrong_token --oauth2-bearer another-token-0123456789
expect_wrong_token --basic --user "$token:"
expect_wrong_token -H "Authorization: Bearer"
# Not at all, for its authority is not known here.
# shellcheck disable=SC2046
[ "$(ask /api/summary $(show "$work/stranger/operator-o"))" = 000 ] || fail "a stranger's certificate is taken: $(cat "$work/answer.txt")"

new_token the-second-token-0123456789
for _ in $(seq 300); do
  [ "$(ask /metrics --oauth2-bearer the-second-token-0123456789)" = 200 ] && break
  sleep 0.2
done
[ "$(ask /metrics --oauth2-bearer the-second-token-0123456789)" = 200 ] || fail "a replaced token is not taken within a minute"
expect_wrong_token --oauth2-bearer "$token"
echo "everybody sees what the table of docs/operations.md says"
