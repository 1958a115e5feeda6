#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# long_dashboard_test.sh BIN ARTEFACTS LOAD_MAX: the dashboard of 200 members and of a job of 1,000 rounds in a real
# browser: loads in under LOAD_MAX milliseconds, stays under 100 MiB. Screenshots are kept in the folder ARTEFACTS. Exit
# code 77: what drives the browser could not be installed.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
script=long_dashboard_test
# shellcheck source-path=SCRIPTDIR source=../../deploy/lib/federation.sh
. "$repository/deploy/lib/federation.sh"
# shellcheck source-path=SCRIPTDIR source=dashboard/browser.sh
. "$repository/tests/system/dashboard/browser.sh"

bin=$1
load_max=$3
mkdir -p "$2"
artefacts=$(cd "$2" && pwd)
rm -f "$artefacts"/long-*.png # What is there is of this run.
work=$(mktemp -d)
clean_up() { rm -rf "$work"; }
stop_at_end clean_up

install_driver "$work/browser"
mkfifo "$work/go-on"
exec 3<>"$work/go-on" # To read and to write, so that opening it waits for nobody.
# Not by `start`, whose programs have nothing to read.
"$bin/entente-filled-dashboard" "$work/data" <"$work/go-on" >"$work/address" 3>&- &
started=$!
pids+=("$started")
for _ in $(seq 3000); do
  [ -s "$work/address" ] && break
  kill -0 "$started" 2>/dev/null || fail "the dashboard did not start"
  sleep 0.1
done
read -r address job <"$work/address" || fail "the dashboard is not there after five minutes"
cd "$work/browser"
run node long_job.mjs "$address" "$job" "$artefacts" "$load_max"
