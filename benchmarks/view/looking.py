"""Viewers: `python -m benchmarks.view.looking PORT VIEWERS SIZE` takes every update until a line comes; tells ages."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from websockets.asyncio.client import connect

from onscope.view._wire import unpack

CREDIT = 2
QUIET_S = 0.5


async def look(port: int, size: int, ready: asyncio.Barrier, ages: list[float]) -> None:
    """One viewer, until it is cancelled."""
    async with connect(f"ws://127.0.0.1:{port}/live", max_size=None, compression=None) as socket:
        views = [{"id": 1, "image": "raw", "size": [size, size]}, {"id": 2, "image": "plus", "size": [size, size]}]
        said: list[dict[str, Any]] = [{"type": "hello", "version": 1, "token": ""}, {"type": "show", "views": views}]
        for each in [*said, {"type": "credit", "n": CREDIT}]:
            await socket.send(json.dumps(each))
        await socket.recv()
        await ready.wait()
        async for message in socket:
            if isinstance(message, bytes):
                now_unix_ns = time.time_ns()
                head, _ = unpack(message)
                ages.append((now_unix_ns - head["frame"]["received_unix_ns"]) / 1e6)
                await socket.send(json.dumps({"type": "credit", "n": 1}))


async def main(port: int, number: int, size: int) -> None:
    """All of them, until a line comes on standard input."""
    ready, ages = asyncio.Barrier(number + 1), list[float]()
    looking = [asyncio.create_task(look(port, size, ready, ages)) for _ in range(number)]
    await ready.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    had = -1
    while had != len(ages):  # what is under way still comes
        had = len(ages)
        await asyncio.sleep(QUIET_S)
    for each in looking:
        each.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    print(json.dumps(ages))


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
