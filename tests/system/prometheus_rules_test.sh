#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# prometheus_rules_test.sh: Debian's promtool reads the alert rules and the example configuration, and runs the rules' own tests; and a rule
# that says something else fails them.
set -euo pipefail
cd "$(dirname "$0")/../../deploy/prometheus"
promtool check rules entente.rules.yaml
promtool check config prometheus.yaml
promtool test rules entente.rules.test.yaml

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp entente.rules.test.yaml "$folder"
sed 's/state="detached"} > 0/state="detached"} > 1/' entente.rules.yaml >"$folder/entente.rules.yaml"
if promtool test rules "$folder/entente.rules.test.yaml" >/dev/null 2>&1; then
  echo "FAILED: a rule that never sees one worker go passes its test" >&2
  exit 1
fi
# The dashboard's expressions are read as rules would be.
jq '{groups: [{name: "dashboard", rules: [.panels[].targets[]?.expr | gsub("\\$instance"; ".*")] | to_entries | map({record: "panel:\(.key)", expr: .value})}]}' \
  ../grafana/entente.json >"$folder/dashboard.yaml"
promtool check rules "$folder/dashboard.yaml"

echo "the rules do what their tests say"
