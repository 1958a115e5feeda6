#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same rounds through Flower, through NVFlare and through Entente, one after the other in one run. See
# `--help` and bench/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/compare/run.sh --parameters P --workers N [options]

Measures seconds a round, peak memory and bytes of federated averaging of P float32 parameters with N clients
that do not train: Flower and NVFlare, installed from PyPI into build/bench, and Entente, by
bench/round_trip/run.sh. Every client is a process of its own, on 127.0.0.1.

Options:
  --parameters P    numbers of the model
  --workers N       clients
  --rounds R        rounds to measure, after 2 to warm up (default: 7)
  --only TOOL       flower, nvflare or entente alone
  --limit SECONDS   after which a peer is given up (default: 900)
  --json            print one JSON object in place of a table
  --keep DIR        work in DIR, new or empty, and leave logs and results there (default: a temporary folder)
  --help            this text

Exit codes: 0 every tool that could be installed was measured or reached its limit; 1 one failed, or none could
be measured; 2 bad usage; 130 interrupted; 143 terminated. Every process it started is stopped at the end.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
script=compare
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"

parameters="" workers="" rounds=7 only="" limit=900 json=false keep=""
while [ $# -gt 0 ]; do
  case "$1" in
    --help|-h) usage; exit 0 ;;
    --json) json=true; shift; continue ;;
    --parameters|--workers|--rounds|--only|--limit|--keep) [ $# -ge 2 ] || bad_usage "$1 needs a value" ;;
    *) bad_usage "unknown option $1" ;;
  esac
  case "$1" in
    --parameters|--workers|--rounds|--limit) is_count "$2" || bad_usage "$1 must be a number from 1, not '$2'" ;;
    --only) [[ "$2" =~ ^(flower|nvflare|entente)$ ]] || bad_usage "--only must be flower, nvflare or entente, not '$2'" ;;
  esac
  declare "${1#--}=$2"
  shift 2
done
[ -n "$parameters" ] || bad_usage "--parameters is missing"
[ -n "$workers" ] || bad_usage "--workers is missing"
if [ -n "$keep" ]; then must_be_new --keep "$keep"; fi
warm_up=2

# ---- Stopping, and a place to work --------------------------------------------------------------------

work=${keep:-$(mktemp -d "${TMPDIR:-/var/tmp}/entente-compare-XXXXXX")}
mkdir -p "$work"
work=$(cd "$work" && pwd)
running=""
on_exit() {
  local code=$?
  trap '' INT TERM
  trap - EXIT
  if [ -n "$running" ]; then
    kill -TERM -- "-$running" 2>/dev/null || true
    wait "$running" 2>/dev/null || true
  fi
  if [ -z "$keep" ]; then rm -rf "$work"; fi
  exit "$code"
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# in_background COMMAND...: so that a signal does not have to wait for it; in a process group of its own, so that
# one signal reaches it and what it is waiting for. Returns its exit code.
in_background() {
  setsid "$@" &
  running=$!
  local code=0
  wait "$running" || code=$?
  running=""
  return "$code"
}
say() { echo "compare: $*" >&2; }

# no_result TOOL WHY: what the report then has in place of figures. WHY goes into JSON, so it has no quotes.
no_result() { printf '{"problem": "%s"}\n' "$(printf '%s' "$2" | tr -d '"\\' | tr -s '[:space:][:cntrl:]' ' ')" >"$work/$1.json"; }

# ---- The peers ------------------------------------------------------------------------------------------

# install TOOL: into an environment of its own, for their dependencies conflict.
install() {
  local environment="$repository/build/bench/venv-$1" wanted="$here/requirements-$1.txt"
  cmp -s "$wanted" "$environment/installed.txt" && return 0
  say "installing $1 from PyPI into build/bench/venv-$1"
  {
    rm -rf "$environment"
    python3 -m venv "$environment" &&
      in_background "$environment/bin/pip" install --disable-pip-version-check --no-input -q -r "$wanted"
  } >"$work/install-$1.log" 2>&1 || return 1
  cp "$wanted" "$environment/installed.txt"
}

run_peer() {
  if ! install "$1"; then
    no_result "$1" "left out: PyPI cannot be reached or does not have what it needs ($(tail -n 1 "$work/install-$1.log" | cut -c 1-200))"
    return 0
  fi
  say "running $1"
  mkdir -p "$work/$1"
  in_background "$repository/build/bench/venv-$1/bin/python" "$here/run_$1.py" --parameters "$parameters" \
    --workers "$workers" --rounds "$rounds" --limit-seconds "$limit" --work "$work/$1" --output "$work/$1.json" \
    >"$work/$1.log" 2>&1 ||
    printf '{"problem": "failed; see the end of its log above", "failed": true}\n' >"$work/$1.json"
  if grep -q '"failed"' "$work/$1.json"; then tail -v -n 20 "$work/$1.log" "$work/$1"/*.log >&2 || true; fi
}

run_entente() {
  if [ ! -x "$repository/bench/round_trip/run.sh" ]; then
    no_result entente "left out: bench/round_trip/run.sh is not there"
    return 0
  fi
  say "running entente"
  local code=0
  in_background "$repository/bench/round_trip/run.sh" --parameters "$parameters" --workers "$workers" \
    --rounds "$rounds" --json >"$work/round_trip.json" 2>"$work/entente.log" || code=$?
  if [ "$code" -ne 0 ] || ! python3 -c 'import json, sys; json.load(sys.stdin)' <"$work/round_trip.json" 2>/dev/null; then
    tail -n 20 "$work/entente.log" >&2
    printf '{"problem": "failed; see the end of its log above", "failed": true}\n' >"$work/entente.json"
    return 0
  fi
  local version
  version=$(git -C "$repository" describe --always --dirty 2>/dev/null || echo unknown)
  python3 -c 'import json, sys; print(json.dumps({"version": sys.argv[1], **json.load(sys.stdin)}))' "$version" \
    <"$work/round_trip.json" >"$work/entente.json"
}

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then "$repository/deploy/packages/install.sh" bench >&2; fi
results=()
for tool in flower nvflare entente; do
  if [ -n "$only" ] && [ "$only" != "$tool" ]; then continue; fi
  case "$tool" in
    entente) run_entente ;;
    *) run_peer "$tool" ;;
  esac
  results+=("$work/$tool.json")
done
as_json=()
if $json; then as_json=(--json); fi
python3 "$here/report.py" --parameters "$parameters" --workers "$workers" --rounds "$rounds" --warm-up-rounds "$warm_up" \
  ${as_json[@]+"${as_json[@]}"} "${results[@]}"
