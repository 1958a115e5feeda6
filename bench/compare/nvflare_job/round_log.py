# SPDX-License-Identifier: Apache-2.0
"""A component of the server that writes a line in a log when a round begins and when its model is kept."""

import time

from nvflare.apis.fl_component import FLComponent
from nvflare.app_common.app_event_type import AppEventType


class RoundLog(FLComponent):
    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def handle_event(self, event_type, fl_ctx):
        what = {AppEventType.ROUND_STARTED: "start", AppEventType.AFTER_LEARNABLE_PERSIST: "end"}.get(event_type)
        if what:
            with open(self.path, "a") as log:
                log.write(f"{what} {time.monotonic()}\n")
