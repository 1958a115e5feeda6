#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart_test.sh PRESET: the quickstart with one round, on that preset's build. It ends well, says what it must in result.json, gives the same model
# again, and leaves no process behind, also when it is interrupted. (Its accuracy is a matter of all its
# rounds; see README.md.)
set -euo pipefail
preset=$1
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
left_running() { pgrep -f -- "$folder/[abc]/" || true; }

"$repository/deploy/quickstart.sh" --preset "$preset" --rounds 1 --out "$folder/a" --seed 7 | tee "$folder/a.txt"
[ -z "$(left_running)" ] || fail "processes were left running: $(left_running)"
grep -q "together, on the test images" "$folder/a.txt" || fail "no table was printed"
jq -e '
  .accuracy > 0.3 and .rounds == 1 and (.model_digest | test("^[0-9a-f]{64}$")) and
  (.seconds | has("build", "pki", "split", "start", "train", "evaluate", "alone")) and
  .bytes_up > 0 and .bytes_down > 0 and (.members | length) == 5 and
  ([.members[].jurisdiction] | sort) == ["BR", "CA", "FR", "IN", "KR"] and
  ([.members[].weight] | add - 1 | fabs) < 1e-9 and
  all(.members[]; .examples > 0 and .accuracy >= 0 and .accuracy_alone > 0)
' "$folder/a/result.json" >/dev/null || fail "result.json is not what it must be: $(cat "$folder/a/result.json")"
[ "$(sha256sum <"$folder/a/model.safetensors" | cut -d' ' -f1)" = "$(jq -r .model_digest "$folder/a/result.json")" ] ||
  fail "model.safetensors is not the model of result.json"

"$repository/deploy/quickstart.sh" --preset "$preset" --rounds 1 --out "$folder/b" --seed 7 >/dev/null
[ "$(jq -r .model_digest "$folder/a/result.json")" = "$(jq -r .model_digest "$folder/b/result.json")" ] ||
  fail "the same seed gave another model"

began=$SECONDS
setsid "$repository/deploy/quickstart.sh" --preset "$preset" --rounds 50 --out "$folder/c" >"$folder/c.txt" 2>&1 &
interrupted=$!
for _ in $(seq 600); do grep -q "round 1/50" "$folder/c.txt" && break; sleep 0.1; done
kill -TERM "$interrupted"
code=0
wait "$interrupted" || code=$?
[ "$code" -eq 143 ] || fail "an interrupted quickstart exited with $code, not 143"
[ $((SECONDS - began)) -lt 120 ] || fail "an interrupted quickstart went on for $((SECONDS - began)) s"
[ -z "$(left_running)" ] || fail "an interrupted quickstart left processes: $(left_running)"

for wrong in "--rounds 0" "--rounds x" "--port 70000" "--seed -1" "--no-such" "--out $folder/a"; do
  code=0
  # shellcheck disable=SC2086
  "$repository/deploy/quickstart.sh" $wrong >/dev/null 2>"$folder/usage.txt" || code=$?
  [ "$code" -eq 2 ] || fail "quickstart $wrong exited with $code, not 2"
  grep -q "^quickstart: " "$folder/usage.txt" || fail "quickstart $wrong did not say what is wrong"
done
echo "the quickstart keeps its promises"
