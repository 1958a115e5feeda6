# SPDX-License-Identifier: Apache-2.0
"""A client that does not train: it returns the model plus a number of its own."""

import numpy
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()
def train(message, context):
    site = context.node_config["site"]
    model = message.content["arrays"].to_numpy_ndarrays()[0]
    update = model + numpy.float32(0.001 * (site + 1))
    content = RecordDict({"arrays": ArrayRecord([update]), "metrics": MetricRecord({"num-examples": 1})})
    return Message(content=content, reply_to=message)
