# SPDX-License-Identifier: Apache-2.0
"""What the runs of the peers share: processes that are all stopped at the end, memory and bytes
sampled while they run, and the figures made of that.

Reads /proc, so Linux only. Times are of the monotonic clock, which every process on the machine shares.
"""

import argparse
import ctypes
import importlib.metadata
import json
import math
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy

WARM_UP_ROUNDS = 2
SAMPLE_SECONDS = 0.2
STOP_SECONDS = 10
LOOPBACK_BYTES = Path("/sys/class/net/lo/statistics/tx_bytes")


class DidNotFinish(Exception):
    """The peer was still at it when its time was up."""


class PeerFailed(Exception):
    """The peer ended, or lost a client, before its rounds were done."""


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on now; another program could still take one."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def accepts(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


# ---- Processes ------------------------------------------------------------------------------------


def _parent(pid):
    """The process that `pid` is a child of, or None if `pid` is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def descendants(root):
    """The processes under `root`, itself left out, dead ones that nobody has waited for included."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (parent := _parent(name)) is not None:
            children.setdefault(parent, []).append(int(name))
    found = []
    waiting = [root]
    while waiting:
        mine = children.get(waiting.pop(), [])
        found += mine
        waiting += mine
    return found


class Processes:
    """Starts programs, and stops them and whatever they started when the `with` block ends.

    A program whose parent has died becomes a child of this one, so that nothing escapes.
    """

    def __init__(self, folder):
        self._folder = folder
        self._started = []

    def __enter__(self):
        pr_set_child_subreaper = 36
        ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)
        return self

    def start(self, name, command, environment):
        """Starts `command` with its output in NAME.log of the folder, and returns it."""
        with open(self._folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, env=environment, cwd=self._folder, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self._started.append((name, process))
        return process

    def ended(self):
        """The names of the programs that have ended."""
        return [name for name, process in self._started if process.poll() is not None]

    def __exit__(self, *_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # It is stopping already.
        for _, process in self._started:
            if process.poll() is None:
                process.terminate()
        end = time.monotonic() + STOP_SECONDS
        while self._child_is_left():
            if time.monotonic() > end:
                for pid in descendants(os.getpid()):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            time.sleep(0.1)

    @staticmethod
    def _child_is_left():
        """Waits for the dead. Once there is no child, there is nothing further down either, for that would
        have become a child."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return False
        return True


def wait_for(what, limit, processes, done):
    """Waits until `done()`. Throws PeerFailed if one of the processes ends before, and DidNotFinish at
    `limit`."""
    while not done():
        if ended := processes.ended():
            raise PeerFailed(f"{' and '.join(ended)} ended while it waited for {what}")
        if time.monotonic() > limit:
            raise DidNotFinish(what)
        time.sleep(0.1)


# ---- Memory and bytes -----------------------------------------------------------------------------


def _memory(pid):
    """Resident bytes of a process, now and at most; (0, 0) once it is gone."""
    now = peak = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
            elif line.startswith("VmRSS:"):
                now = int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return now, peak


class Sampler:
    """Looks at memory and at loopback's counter five times a second, from `with` to the end of it.

    `groups` names groups of processes, each by its root; the processes under a root count with it.
    """

    def __init__(self, groups):
        self._groups = groups
        self._peaks = {name: 0 for name in groups}
        self._loopback = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(SAMPLE_SECONDS):
            self._loopback.append((time.monotonic(), int(LOOPBACK_BYTES.read_text())))
            for name, root in self._groups.items():
                memory = [_memory(pid) for pid in (root, *descendants(root))]
                together = sum(now for now, _ in memory)
                self._peaks[name] = max(self._peaks[name], together, *(peak for _, peak in memory))

    def peak_bytes(self, group):
        """The most that the processes of a group held at one time: the larger of their sum in any sample
        and the peak of any one of them. It misses peaks between samples, and counts shared pages once a process."""
        return self._peaks[group]

    def loopback_bytes(self, begin, end):
        """Bytes sent over loopback between two times, by whomever, to the nearest sample."""
        if not self._loopback:
            return 0
        at = lambda moment: min(self._loopback, key=lambda sample: abs(sample[0] - moment))[1]
        return at(end) - at(begin)


# ---- Figures --------------------------------------------------------------------------------------


def quantile(values, share):
    """Nearest rank, like bench/round_trip."""
    return sorted(values)[max(math.ceil(len(values) * share) - 1, 0)]


def read_round_log(path):
    """Seconds of each measured round, and when the first began and the last ended.

    The file has a line `start SECONDS` when the server begins a round and `end SECONDS` when it has the
    next model. A round lasts until the next begins, so that nothing between them is lost.
    """
    events = [line.split() for line in path.read_text().splitlines()]
    starts = [float(seconds) for what, seconds in events if what == "start"][WARM_UP_ROUNDS:]
    last_end = float(events[-1][1])
    marks = starts + [last_end]
    return [after - before for before, after in zip(marks, marks[1:])], starts[0], last_end


def round_log_is_complete(path, rounds):
    return path.exists() and path.read_text().count("end ") == WARM_UP_ROUNDS + rounds


def figures(round_log, sampler, server, clients):
    seconds, begin, end = read_round_log(round_log)
    return {
        "seconds_per_round": seconds,
        "seconds_per_round_median": quantile(seconds, 0.5),
        "seconds_per_round_p95": quantile(seconds, 0.95),
        "server_peak_rss_bytes": sampler.peak_bytes(server),
        "client_peak_rss_bytes": max(sampler.peak_bytes(client) for client in clients),
        "wire_bytes_per_round": round(sampler.loopback_bytes(begin, end) / len(seconds)),
    }


# ---- The work -------------------------------------------------------------------------------------


def write_initial_model(path, parameters):
    numpy.save(path, numpy.random.default_rng(1).normal(0, 0.01, parameters).astype(numpy.float32))


def check_final_model(initial, final, options):
    """Throws PeerFailed unless every round added the mean of what all clients add: client i of 1 to N adds
    i / 1000."""
    expected = (WARM_UP_ROUNDS + options.rounds) * (options.workers + 1) / 2000
    moved = numpy.load(final) - numpy.load(initial)
    if not numpy.allclose(moved, expected, rtol=1e-3, atol=1e-5):
        raise PeerFailed(f"the model moved by {moved.min()} to {moved.max()}, and should have moved by {expected}")


# ---- The command of a peer ------------------------------------------------------------------------


def _measure(package, run):
    parser = argparse.ArgumentParser(description=f"Measures rounds of {package}; see bench/README.md.")
    parser.add_argument("--parameters", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--limit-seconds", type=int, required=True)
    parser.add_argument("--work", type=Path, required=True, help="an existing folder for logs")
    parser.add_argument("--output", type=Path, required=True, help="the result, as JSON")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))

    result = {"version": importlib.metadata.version(package), "python": platform.python_version()}
    try:
        result |= run(options, time.monotonic() + options.limit_seconds)
    except DidNotFinish as waiting_for:
        result["problem"] = f"did not finish in {options.limit_seconds} s; it was waiting for {waiting_for}"
    except (PeerFailed, OSError, subprocess.SubprocessError) as error:
        result |= {"problem": f"failed: {error}", "failed": True}
    options.output.write_text(json.dumps(result))


def run_peer(package, run):
    """The program of a peer: parses the options, calls `run(options, limit)` for its result, writes that, or
    why there is none, as JSON, and ends the process. `limit` is on the monotonic clock."""
    code = 1
    try:
        _measure(package, run)
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # A session with an NVFlare server leaves threads behind that would never let it end.
