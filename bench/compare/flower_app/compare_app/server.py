# SPDX-License-Identifier: Apache-2.0
"""Flower's FedAvg over N clients, with a line in a log when a round begins and when it has ended."""

import time
from pathlib import Path

import numpy
from flwr.app import ArrayRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()


class LoggedFedAvg(FedAvg):
    def __init__(self, clients, log):
        super().__init__(fraction_train=1.0, fraction_evaluate=0.0, min_train_nodes=clients, min_available_nodes=clients)
        self._clients = clients
        self._log = log

    def configure_train(self, server_round, arrays, config, grid):
        messages = super().configure_train(server_round, arrays, config, grid)  # Waits for the clients, once.
        self._write("start")
        return messages

    def aggregate_train(self, server_round, replies):
        replies = list(replies)
        arrived = sum(not reply.has_error() for reply in replies)
        if arrived != self._clients:  # Flower would average the others.
            raise RuntimeError(f"round {server_round} had {arrived} of {self._clients} clients")
        aggregated = super().aggregate_train(server_round, replies)
        self._write("end")
        return aggregated

    def _write(self, what):
        with open(self._log, "a") as log:
            log.write(f"{what} {time.monotonic()}\n")


@app.main()
def main(grid, context):
    config = context.run_config
    folder = Path(config["folder"])
    try:
        strategy = LoggedFedAvg(config["workers"], folder / "rounds.txt")
        result = strategy.start(grid=grid, initial_arrays=ArrayRecord([numpy.load(folder / "model.npy")]),
                                num_rounds=config["rounds"])
        numpy.save(folder / "unfinished.npy", result.arrays.to_numpy_ndarrays()[0])
        (folder / "unfinished.npy").rename(folder / "final.npy")
    except Exception as error:
        (folder / "failure.txt").write_text(str(error))
        raise
