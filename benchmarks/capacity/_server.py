"""A server that only takes time: requests over TCP, a queue with priorities, batches, instances that sleep.

`python -m benchmarks.capacity._server 1:10,4:16 INSTANCES LARGEST` prints its port, and at the end of its standard
input the milliseconds that its batches of one took. A request is a priority and a size (network order, I and I) and its
bytes, which come back as they went.
"""

from __future__ import annotations

import heapq
import json
import socket
import struct
import sys
import threading
import time
from itertools import count

HEAD = struct.Struct("!II")


class Sleeper:
    """The queue, and the instances that take batches from it."""

    def __init__(self, ms: dict[int, float], instances: int, largest: int) -> None:
        self._ms, self._largest = ms, largest
        self._queue: list[tuple[int, int, socket.socket, bytes]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self.took: list[float] = []
        for _ in range(instances):
            threading.Thread(target=self._run, daemon=True).start()

    def serve(self, ours: socket.socket) -> None:
        """One client, until it leaves."""
        with ours, ours.makefile("rb") as stream:
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while head := stream.read(HEAD.size):
                priority, size = HEAD.unpack(head)
                content = stream.read(size)
                with self._changed:
                    heapq.heappush(self._queue, (priority, next(self._numbers), ours, content))
                    self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                batch = [heapq.heappop(self._queue) for _ in range(min(self._largest, len(self._queue)))]
            began = time.perf_counter()
            time.sleep(between(self._ms, len(batch)) / 1e3)
            for _, _, client, content in batch:
                client.sendall(content)
            if len(batch) == 1:  # until the next one can begin
                self.took.append((time.perf_counter() - began) * 1e3)


def between(ms: dict[int, float], batch: int) -> float:
    """Of a batch between two that are given, evenly."""
    below, above = max(each for each in ms if each <= batch), min(each for each in ms if each >= batch)
    return ms[below] if below == above else ms[below] + (ms[above] - ms[below]) * (batch - below) / (above - below)


def main() -> None:
    table, instances, largest = sys.argv[1:]
    ms = {int(batch): float(each) for batch, each in (pair.split(":") for pair in table.split(","))}
    sleeper = Sleeper(ms, int(instances), int(largest))
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            client, _ = listening.accept()
            threading.Thread(target=sleeper.serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()
    print(json.dumps(sleeper.took), flush=True)


if __name__ == "__main__":
    main()
