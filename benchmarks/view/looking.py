"""Viewers: `python -m benchmarks.view.looking PORT VIEWERS SIZE IMAGE SLOW` until a line comes; tells ages.

Each shows the raw frame and IMAGE, in SIZE x SIZE pixels of its screen; it decodes every update, touches every pixel,
and then gives the credit for another one: the last SLOW of them a quarter of a second later. The process has the lowest
priority: it stands for other computers and their browsers.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from websockets.asyncio.client import connect

from onscope.view._wire import unpack

CREDIT = 2
QUIET_S = 0.5
SLOW_S = 0.25
NICEST = 19


async def look(port: int, size: int, image: str, pause_s: float, ready: asyncio.Barrier, ages: list[float]) -> None:
    """One viewer, until it is cancelled; ages of those that are slow are not kept."""
    async with connect(f"ws://127.0.0.1:{port}/live", max_size=None, compression=None) as socket:
        views = [{"id": at, "image": name, "size": [size, size]} for at, name in enumerate(("raw", image))]
        said: list[dict[str, Any]] = [{"type": "hello", "version": 1, "token": ""}, {"type": "show", "views": views}]
        for each in [*said, {"type": "credit", "n": CREDIT}]:
            await socket.send(json.dumps(each))
        await socket.recv()
        await ready.wait()
        async for message in socket:
            if not isinstance(message, bytes):
                json.loads(message)
                continue
            head, arrays = unpack(message)
            for view in head["views"]:
                arrays[view["array"]].max()
            if pause_s:
                await asyncio.sleep(pause_s)
            else:
                ages.append((time.time_ns() - head["frame"]["received_unix_ns"]) / 1e6)
            await socket.send(json.dumps({"type": "credit", "n": 1}))


async def main(port: int, number: int, size: int, image: str, slow: int) -> None:
    """All of them, until a line comes on standard input."""
    ready, ages = asyncio.Barrier(number + 1), list[float]()
    pauses = [0.0] * (number - slow) + [SLOW_S] * slow
    looking = [asyncio.create_task(look(port, size, image, pause_s, ready, ages)) for pause_s in pauses]
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
    if hasattr(os, "nice"):
        os.nice(NICEST)
    asyncio.run(main(*map(int, sys.argv[1:4]), sys.argv[4], int(sys.argv[5])))
