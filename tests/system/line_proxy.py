# SPDX-License-Identifier: Apache-2.0
"""line_proxy.py LISTEN_PORT HOST PORT SECONDS: passes TCP connections to 127.0.0.1:LISTEN_PORT on to HOST:PORT, every
byte SECONDS later, both ways. A line of its own says when it listens. What is under way is bounded, as on a real
line: a side is not read while WAITING_BYTES_MAX wait for their time. SIGUSR1 resets every connection at both of its
ends (RST, what is under way is lost), and a line says how many there were: "reset 2".
"""
import asyncio
import signal
import socket
import struct
import sys

WAITING_BYTES_MAX = 8 << 20
NO_LINGERING = struct.pack("ii", 1, 0)


async def carry(reader, writer, seconds):
    loop = asyncio.get_running_loop()
    waiting = asyncio.Queue()
    room = asyncio.Semaphore(WAITING_BYTES_MAX >> 16)

    async def take_in():
        while True:
            await room.acquire()
            data = await reader.read(1 << 16)
            waiting.put_nowait((loop.time() + seconds, data))
            if not data:
                return

    async def hand_on():
        while True:
            at, data = await waiting.get()
            await asyncio.sleep(max(0, at - loop.time()))
            room.release()
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    await asyncio.gather(take_in(), hand_on())


async def main():
    listen_port, host, port, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    connections = set()  # Of each, the tasks that carry it and the writers of its two ends.

    async def on_connection(reader, writer):
        connection = None
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port)
            carrying = asyncio.gather(carry(reader, far_writer, seconds), carry(far_reader, writer, seconds))
            connection = (carrying, writer, far_writer)
            connections.add(connection)
            await carrying
            far_writer.close()
        except (OSError, asyncio.CancelledError):
            pass  # One side is gone, or both were reset; so is the connection, for the other.
        finally:
            connections.discard(connection)
            writer.close()

    def reset_all():
        count = len(connections)
        for carrying, *writers in list(connections):
            for writer in writers:
                if writer.transport.is_closing():
                    continue
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
                writer.transport.abort()
            carrying.cancel()
        print(f"reset {count}", flush=True)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, reset_all)
    server = await asyncio.start_server(on_connection, "127.0.0.1", listen_port)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
