# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced, never run: what the tests share that need ports or machines of their own.

# need_namespaces: ends the test with 77, skipped, where this account may make no network namespaces.
need_namespaces() {
  if [ "$(id -u)" -ne 0 ] || ! ip netns add "entente-probe-$$" 2>/dev/null; then
    echo "skipped: making network namespaces needs root"
    exit 77
  fi
  ip netns del "entente-probe-$$"
}
# free_port: prints one of 127.0.0.1 where nobody listens.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
