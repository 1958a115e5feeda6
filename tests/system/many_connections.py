# SPDX-License-Identifier: Apache-2.0
"""many_connections.py PORT COUNT: opens COUNT connections to 127.0.0.1:PORT and holds its end of each until it is killed.
One in three says nothing, one sends half a request, one sends 30 KiB of headers without an end. Prints "open" once all
are connected, and {"connections", "told", "seconds"} once the other side has ended all of them: "told" is how many were
answered that too many connections are open.
"""
import errno
import json
import os
import resource
import select
import socket
import sys
import time

CONNECTING_MAX = 64  # At once: a listener's queue holds about a hundred.
SAYINGS = (
    b"",
    b"GET /api/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(30)),
)
SENTENCE = b"too many connections are open"


class Crowd:
    def __init__(self, port, count):
        self.address = ("127.0.0.1", port)
        self.count = count
        self.poll = select.epoll()
        self.connections = {}  # By descriptor; those that have ended stay, to be held.
        self.heard = {}  # By descriptor, of those that have not ended.
        self.connecting = set()
        self.told = 0

    def begin_one(self):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        error = connection.connect_ex(self.address)
        if error not in (0, errno.EINPROGRESS):
            self.fail(error)
        descriptor = connection.fileno()
        self.connections[descriptor] = connection
        self.connecting.add(descriptor)
        self.poll.register(descriptor, select.EPOLLOUT)

    def fail(self, error):
        sys.exit(f"many_connections: {os.strerror(error)}, with {len(self.connections)} of {self.count} connections begun")

    def on_connected(self, descriptor):
        connection = self.connections[descriptor]
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.fail(error)
        self.connecting.remove(descriptor)
        self.heard[descriptor] = b""
        self.poll.modify(descriptor, select.EPOLLIN)
        try:
            connection.send(SAYINGS[descriptor % len(SAYINGS)])
        except OSError:
            pass  # Ended already; reading shows it.

    def on_readable(self, descriptor):
        try:
            data = self.connections[descriptor].recv(4096)
        except OSError:
            data = b""
        if data:
            self.heard[descriptor] += data
            return
        self.poll.unregister(descriptor)
        self.told += SENTENCE in self.heard.pop(descriptor)

    def take_part(self):
        for descriptor, _ in self.poll.poll():
            if descriptor in self.connecting:
                self.on_connected(descriptor)
            else:
                self.on_readable(descriptor)

    def run(self):
        began = time.monotonic()
        while len(self.connections) < self.count or self.connecting:
            while len(self.connections) < self.count and len(self.connecting) < CONNECTING_MAX:
                self.begin_one()
            self.take_part()
        print("open", flush=True)
        while self.heard:
            self.take_part()
        seconds = time.monotonic() - began
        print(json.dumps({"connections": self.count, "told": self.told, "seconds": seconds}), flush=True)


def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(port, count)
    crowd.run()
    while True:
        time.sleep(1)


main()
