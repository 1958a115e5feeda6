#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the named lists in this folder ask for and is not there yet:
#   deploy/packages/install.sh build run
# Does nothing, and asks for no rights, when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")"

if [ $# -eq 0 ]; then
  echo "usage: deploy/packages/install.sh build|run|test|bench..." >&2
  exit 2
fi
wanted=()
for list in "$@"; do
  if [ ! -f "$list.txt" ]; then
    echo "entente: there is no list $list; there are: $(basename -s .txt ./*.txt | tr '\n' ' ')" >&2
    exit 2
  fi
  mapfile -t names < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$list.txt")
  wanted+=("${names[@]}")
done

# is_installed PACKAGE: it, or another that provides it.
is_installed() {
  dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed && return 0
  grep -qx "$1" <<<"$provided"
}
provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | sed -n 's/^installed //p' | tr ',' '\n' | sed 's/^ *//; s/[ (].*//' | sort -u)
missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing ${#missing[@]} packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo)
  else
    echo "entente: these packages are missing and this account may not install them. Ask an administrator to run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"

for package in "${missing[@]}"; do
  if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
    echo "entente: $package could not be installed; is this Debian 12?" >&2
    exit 1
  fi
done
