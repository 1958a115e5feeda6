# SPDX-License-Identifier: Apache-2.0
"""A client that does not train: it returns the model plus a number of its own."""

import numpy
import nvflare.client as flare

flare.init()
site = int(flare.get_site_name().removeprefix("site-"))
while flare.is_running():
    received = flare.receive()
    update = {name: values + numpy.float32(0.001 * site) for name, values in received.params.items()}
    flare.send(flare.FLModel(params=update))
