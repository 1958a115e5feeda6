# SPDX-License-Identifier: Apache-2.0
"""Rounds of Flower's deployment engine: one SuperLink and N SuperNodes, each a process of its own.

Everything is as Flower comes, but for telemetry and the look for updates, which are off: environment
variables FLWR_TELEMETRY_ENABLED (Flower's documentation, "Telemetry") and FLWR_DISABLE_UPDATE_CHECK.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from measure import (WARM_UP_ROUNDS, PeerFailed, Processes, Sampler, accepts, check_final_model, figures,
                     free_ports, run_peer, wait_for, write_initial_model)

APP = Path(__file__).resolve().parent / "flower_app"
PROGRAMS = Path(sys.executable).parent
CONDITIONS = {
    "transport": "HTTP",
    "tls": "no (--insecure)",
    "durability": "none: the SuperLink keeps its state in memory",
    "processes": "SuperLink, SuperExec and ServerApp; per client SuperNode, SuperExec, and a ClientApp started anew each round",
    "polling": "its defaults: server for replies every 3 s; client for work every 3 s, to start it every 1 s, for its reply every 0.5 s",
}


def run(options, limit):
    port, *client_ports = free_ports(1 + options.workers)
    home = options.work / "home"
    home.mkdir()
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "bench"\n\n[superlink.bench]\naddress = "127.0.0.1:{port}"\ninsecure = true\n')
    environment = os.environ | {
        "FLWR_HOME": str(home),
        "FLWR_TELEMETRY_ENABLED": "0",
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
    }
    app = options.work / "app"
    shutil.copytree(APP, app, ignore=shutil.ignore_patterns("__pycache__"))
    write_initial_model(options.work / "model.npy", options.parameters)
    final, failure = options.work / "final.npy", options.work / "failure.txt"

    with Processes(options.work) as processes:
        server = processes.start("superlink", [
            PROGRAMS / "flower-superlink", "--insecure", "--host", "127.0.0.1", "--port", str(port),
            "--disable-runtime-dependency-installation"], environment)
        wait_for("the SuperLink", limit, processes, lambda: accepts(port))
        groups = {"server": server.pid}
        for index, client_port in enumerate(client_ports):
            groups[f"client {index}"] = processes.start(f"supernode-{index}", [
                PROGRAMS / "flower-supernode", "--insecure", "--superlink", f"127.0.0.1:{port}",
                "--host", "127.0.0.1", "--port", str(client_port), "--node-config", f"site={index}"], environment).pid

        with Sampler(groups) as sampler:
            submitted = subprocess.run(
                [PROGRAMS / "flwr", "run", app, "bench", "--run-config",
                 f"workers={options.workers} rounds={WARM_UP_ROUNDS + options.rounds} folder='{options.work}'"],
                env=environment, cwd=options.work, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=max(limit - time.monotonic(), 1))
            if submitted.returncode != 0:
                raise PeerFailed(f"flwr run said: {(submitted.stdout + submitted.stderr).strip()[-500:]}")
            wait_for("its rounds", limit, processes, lambda: final.exists() or failure.exists())
        if failure.exists():
            raise PeerFailed(failure.read_text())
        check_final_model(options.work / "model.npy", final, options)
        return figures(options.work / "rounds.txt", sampler, "server", list(groups)[1:]) | {"conditions": CONDITIONS}


if __name__ == "__main__":
    run_peer("flwr", run)
