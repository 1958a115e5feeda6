# SPDX-License-Identifier: Apache-2.0
"""Lays the results of bench/compare/run.sh side by side: a table and ratios, or one JSON object.

Each tool's result is a JSON file of run_flower.py, run_nvflare.py or bench/round_trip/run.sh; one with a
`problem` has no figures and says why.
"""

import argparse
import json
import os
import sys
from pathlib import Path

TITLES = {"flower": "Flower", "nvflare": "NVFlare", "entente": "Entente"}
CONDITIONS = {
    "transport": "gRPC",
    "tls": "mutual TLS",
    "durability": "{}: journal, updates and model are on disk, and synced, before they are acknowledged",
    "processes": "coordinator; per client a worker and its trainer",
    "polling": "none: the coordinator sends work down an open stream",
}
FIGURES = ("seconds_per_round_median", "seconds_per_round_p95", "server_peak_rss_bytes", "client_peak_rss_bytes",
           "wire_bytes_per_round")
NOTES = (
    "seconds: from the beginning of a round to that of the next, by the server's clock; small models measure mostly the polling",
    "server memory: resident, all processes of the server at one time; of clients, the largest, likewise,"
    " but Entente's without its trainer",
    "on loopback: all bytes that the machine sent itself, between a server's own processes, TLS and whatever"
    " else runs on it included",
)


def entente_result(result):
    """The result of bench/round_trip/run.sh, in the words of the peers'."""
    if "problem" in result:
        return result
    durability = result.get("durability", "power_loss")
    conditions = CONDITIONS | {"durability": CONDITIONS["durability"].format(durability)}
    if durability != "power_loss":
        conditions["durability"] = f"{durability}: journal, updates and model are on disk, not synced"
    return result | {
        "server_peak_rss_bytes": result["coordinator_peak_rss_bytes"],
        "client_peak_rss_bytes": result["worker_peak_rss_bytes"],
        "wire_bytes_per_round": result.get("wire_bytes_per_round", result["bytes_up"] + result["bytes_down"]),
        "conditions": conditions,
    }


def ratios(tools):
    """How many times our figure each peer's is."""
    ours = tools.get("entente", {"problem": ""})
    if "problem" in ours:
        return {}
    return {name: {"seconds": peer["seconds_per_round_median"] / ours["seconds_per_round_median"],
                   "server_rss": peer["server_peak_rss_bytes"] / ours["server_peak_rss_bytes"]}
            for name, peer in tools.items() if name != "entente" and "problem" not in peer}


def mib(count):
    return f"{count / 2**20:,.1f} MiB"


def table(summary):
    lines = [f"{summary['parameters']:,} float32 parameters ({mib(4 * summary['parameters'])}) x {summary['workers']} "
             f"clients, no training, {summary['rounds']} rounds after {summary['warm_up_rounds']} to warm up, "
             f"{summary['cores']} cores, 127.0.0.1", ""]
    form = "  {:<18} {:>14} {:>10} {:>16} {:>16} {:>16}"
    lines.append(form.format("", "s a round", "p95", "server memory", "client memory", "on loopback"))
    measured = {}
    for name, tool in summary["tools"].items():
        title = f"{TITLES[name]} {tool.get('version', '')}".strip()
        if "problem" in tool:
            lines.append(f"  {title:<18} {tool['problem']}")
            continue
        measured[name] = tool
        median, p95, *sizes = (tool[figure] for figure in FIGURES)
        lines.append(form.format(title, f"{median:.3f}", f"{p95:.3f}", *map(mib, sizes)))
    for name, ratio in summary["ratios"].items():
        lines += ["", f"  {TITLES[name]} takes {ratio['seconds']:.1f} x Entente's seconds a round, "
                      f"and {ratio['server_rss']:.1f} x its server memory."]
    if measured:
        lines += ["", "What differs:"]
        for condition in CONDITIONS:
            lines.append(f"  {condition}")
            lines += [f"    {TITLES[name]:<8} {tool['conditions'][condition]}" for name, tool in measured.items()]
        lines += ["", "How it was measured:", *(f"  {note}" for note in NOTES)]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--warm-up-rounds", type=int, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("results", nargs="+", type=Path, help="files flower.json, nvflare.json, entente.json")
    options = parser.parse_args()

    tools = {path.stem: json.loads(path.read_text()) for path in options.results}
    if "entente" in tools:
        tools["entente"] = entente_result(tools["entente"])
    summary = {"parameters": options.parameters, "workers": options.workers, "rounds": options.rounds,
               "warm_up_rounds": options.warm_up_rounds, "cores": os.cpu_count(), "tools": tools,
               "ratios": ratios(tools)}
    print(json.dumps(summary, indent=2) if options.json else table(summary))
    if any(tool.get("failed") for tool in tools.values()) or all("problem" in tool for tool in tools.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
