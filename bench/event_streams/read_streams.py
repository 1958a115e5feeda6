# SPDX-License-Identifier: Apache-2.0
"""read_streams.py ADDRESS STREAMS PATH: browsers that look at a dashboard, as far as the network sees them: opens STREAMS
event streams at ADDRESS (http://HOST:PORT) and PATH, each on a connection of its own, and reads whatever comes. Prints
"open" once all are. From SIGUSR1 on it counts; at SIGTERM it prints {"streams", "bytes", "seconds", "cpu_seconds"}, the
last two its own, and ends. A stream that is refused or ends is an error.
"""
import asyncio
import json
import resource
import signal
import sys
import time
import urllib.parse


class Figures:
    def __init__(self):
        self.begin()

    def begin(self):
        self.bytes = 0
        self.began = time.monotonic()
        self.cpu_before = self.cpu_seconds()

    @staticmethod
    def cpu_seconds():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def print(self, streams):
        result = {
            "streams": streams,
            "bytes": self.bytes,
            "seconds": time.monotonic() - self.began,
            "cpu_seconds": self.cpu_seconds() - self.cpu_before,
        }
        print(json.dumps(result), flush=True)


async def open_stream(host, port, path):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        answer = head + await reader.read()
        sys.exit(f"read_streams: a stream was refused: {answer.decode(errors='replace')}")
    return reader, writer


async def read_all(reader, figures):
    while data := await reader.read(1 << 16):
        figures.bytes += len(data)


async def main():
    address, count, path = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    figures = Figures()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, figures.begin)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    streams = await asyncio.gather(*(open_stream(address.hostname, address.port, path) for _ in range(count)))
    readers = [asyncio.create_task(read_all(reader, figures)) for reader, _ in streams]
    print("open", flush=True)
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait([stop, *readers], return_when=asyncio.FIRST_COMPLETED)
    over = sum(reader.done() for reader in readers)
    if over:
        sys.exit(f"read_streams: {over} of {count} streams ended while they were read")
    figures.print(count)


asyncio.run(main())
