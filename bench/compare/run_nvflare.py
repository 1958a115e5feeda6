# SPDX-License-Identifier: Apache-2.0
"""Rounds of NVFlare as it is deployed, not its simulator: a provisioned server and N provisioned clients,
each a process of its own, that talk over mutual TLS. A job adds a process to each."""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from nvflare.app_common.np.np_model_persistor import NPModelPersistor
from nvflare.app_common.workflows.fedavg import FedAvg
from nvflare.fuel.flare_api.flare_api import new_secure_session
from nvflare.fuel.utils.constants import FrameworkType
from nvflare.job_config.api import FedJob
from nvflare.job_config.script_runner import ScriptRunner

from measure import (WARM_UP_ROUNDS, PeerFailed, Processes, Sampler, accepts, check_final_model, figures,
                     free_ports, round_log_is_complete, run_peer, wait_for, write_initial_model)

JOB = Path(__file__).resolve().parent / "nvflare_job"
sys.path.insert(0, str(JOB))
from round_log import RoundLog  # noqa: E402

PROGRAMS = Path(sys.executable).parent
ADMIN = "admin@bench.example"
CONDITIONS = {
    "transport": "HTTP (WebSocket), as provisioned by default",
    "tls": "mutual TLS, as provisioned by default",
    "durability": "the model is written each round, not synced; updates are in memory",
    "processes": "server and the job's process; per client a client and the job's process",
    "polling": "its defaults: server for results every 0.5 s; client for work every 0.5 s, for its script's result every 2 s",
}
PROJECT = """\
api_version: 3
name: bench
description: rounds without training
participants:
- {{name: server, type: server, org: bench, default_host: localhost, fed_learn_port: {port}}}
- {{name: {admin}, type: admin, org: bench, role: project_admin}}
{clients}
builders:
- path: nvflare.lighter.impl.workspace.WorkspaceBuilder
  args: {{template_file: [master_template.yml]}}
- path: nvflare.lighter.impl.static_file.StaticFileBuilder
  args: {{config_folder: config}}
- path: nvflare.lighter.impl.cert.CertBuilder
- path: nvflare.lighter.impl.signature.SignatureBuilder
"""


def provision(options, port, environment):
    """Makes certificates and start-up kits, and returns the folder that has one folder a participant."""
    clients = "\n".join(f"- {{name: site-{i + 1}, type: client, org: bench}}" for i in range(options.workers))
    project = options.work / "project.yml"
    project.write_text(PROJECT.format(port=port, admin=ADMIN, clients=clients))
    made = subprocess.run([PROGRAMS / "nvflare", "provision", "-p", project, "-w", options.work / "kits"],
                          env=environment, cwd=options.work, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    kits = options.work / "kits" / "bench" / "prod_00"
    if made.returncode != 0 or not kits.is_dir():
        raise PeerFailed(f"nvflare provision said: {(made.stdout + made.stderr).strip()[-500:]}")
    # As provisioned, the server would listen on every address.
    settings = kits / "server" / "startup" / "fed_server.json"
    configuration = json.loads(settings.read_text())
    configuration["servers"][0]["service"]["target"] = f"localhost:{port}"
    settings.write_text(json.dumps(configuration))
    return kits


def write_job(options, model, round_log):
    job = FedJob(name="bench", min_clients=options.workers)
    job.to_server(FedAvg(num_clients=options.workers, num_rounds=WARM_UP_ROUNDS + options.rounds, persistor_id="persistor"))
    job.to_server(NPModelPersistor(source_ckpt_file_full_name=str(model)), id="persistor")
    job.to_server(RoundLog(str(round_log)), id="round_log")
    job.to_clients(ScriptRunner(script=str(JOB / "client.py"), framework=FrameworkType.NUMPY))
    job.export_job(str(options.work / "job"))
    return options.work / "job" / "bench"


def submit(job, kits, limit, processes):
    """Hands the job in; again while the server is still starting. Returns the session and the job's id."""
    problem = "no answer"
    while time.monotonic() < limit:
        wait_for("the server to take the job", limit, processes, lambda: True)
        try:
            session = new_secure_session(ADMIN, str(kits / ADMIN), timeout=10)
            return session, session.submit_job(str(job))
        except Exception as error:  # NVFlare names no base class for what it throws here.
            problem = error
            time.sleep(1)
    raise PeerFailed(f"the server did not take the job: {problem}")


def run(options, limit):
    logging.disable(logging.WARNING)
    (port,) = free_ports(1)
    home = options.work / "home"
    home.mkdir()
    environment = os.environ | {"HOME": str(home), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    os.environ["HOME"] = str(home)
    kits = provision(options, port, environment)
    round_log = options.work / "rounds.txt"
    model = options.work / "model.npy"
    write_initial_model(model, options.parameters)
    job = write_job(options, model, round_log)

    with Processes(options.work) as processes:
        # `--once` is NVFlare's own start without the watchdog around it.
        start = lambda name: processes.start(name, ["bash", kits / name / "startup" / "sub_start.sh", "--once"], environment)
        groups = {"server": start("server").pid}
        wait_for("the server", limit, processes, lambda: accepts(port))
        for index in range(options.workers):
            groups[f"client {index}"] = start(f"site-{index + 1}").pid

        session, job_id = submit(job, kits, limit, processes)
        with Sampler(groups) as sampler:
            asked = time.monotonic()

            def done():
                nonlocal asked
                if round_log_is_complete(round_log, options.rounds):
                    return True
                if time.monotonic() - asked > 10:  # Rarely, for the server should have nothing else to do.
                    asked = time.monotonic()
                    status = str(session.get_job_status(job_id))
                    if status.startswith("FINISHED") and not round_log_is_complete(round_log, options.rounds):
                        raise PeerFailed(f"the job ended early: {status}")
                return False

            wait_for("its rounds", limit, processes, done)
        final = next((kits / "server").glob("*/models/server.npy"), None)
        if final is None:
            raise PeerFailed("the server left no model")
        check_final_model(model, final, options)
        session.close()
        return figures(round_log, sampler, "server", list(groups)[1:]) | {"conditions": CONDITIONS}


if __name__ == "__main__":
    run_peer("nvflare", run)
