#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# systemd_units_test.sh BIN: systemd takes the units of deploy/systemd without a word, and each starts a program that is
# built here, with options that it has. Exit code 77: no systemd-analyze.
set -euo pipefail
bin=$1
units=$(cd "$(dirname "$0")/../../deploy/systemd" && pwd)
fail() { echo "FAILED: $*" >&2; exit 1; }
if ! command -v systemd-analyze >/dev/null; then
  echo "skipped: systemd-analyze is not on this machine"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for unit in coordinator worker; do
  # It looks whether the program is there, which is not installed on this machine.
  sed "s|^ExecStart=/usr/local/bin/|ExecStart=$bin/|" "$units/entente-$unit.service" >"$folder/entente-$unit.service"
  grep -q "^ExecStart=$bin/entente-$unit --config " "$folder/entente-$unit.service" || fail "entente-$unit.service starts something else"
  systemd-analyze verify --man=no "$folder/entente-$unit.service" >"$folder/said.txt" 2>&1 || fail "systemd refuses entente-$unit.service: $(cat "$folder/said.txt")"
  [ ! -s "$folder/said.txt" ] || fail "systemd finds fault with entente-$unit.service: $(cat "$folder/said.txt")"
  code=0
  "$bin/entente-$unit" --config "$folder/none.yaml" >"$folder/said.txt" 2>&1 || code=$?
  # Restarting would not help; the unit knows the code.
  grep -qx "RestartPreventExitStatus=$code" "$units/entente-$unit.service" || fail "a wrong configuration ends with $code: $(cat "$folder/said.txt")"
done
echo "systemd takes the units of coordinator and worker"
