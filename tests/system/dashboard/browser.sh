# SPDX-License-Identifier: Apache-2.0
# What the tests with a browser share; to be sourced after deploy/lib/federation.sh.

# install_driver FOLDER: the scripts that look at pages, with playwright-core and axe-core beside them. Ends the test
# with 77, skipped, where npm cannot install those.
install_driver() {
  mkdir "$1"
  cp "$repository"/tests/system/dashboard/*.{mjs,json} "$1"
  if ! (cd "$1" && npm ci --no-audit --no-fund >"$work/npm.log" 2>&1); then
    echo "$script: npm cannot install playwright-core: $(tail -n 1 "$work/npm.log")" >&2
    exit 77
  fi
}
