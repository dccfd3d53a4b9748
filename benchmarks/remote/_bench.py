"""The measurements, each held against what it could be at best."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from tests import models

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, block, new_run_id

from .._rows import Row, spread
from ._plan import Plan

Told = Callable[[str], object]
DIFFERENT = 8


@contextmanager
def far(*words: str, inside: Sequence[str] = ()) -> Iterator[int]:
    """The port of something in a process of its own; `inside` stands before its command."""
    command = [*inside, sys.executable, "-m", "benchmarks.remote.far", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def behind(port: int, rate: float | None) -> Iterator[int]:
    """The port of the same through a link of so many bytes per second in each direction."""
    if rate is None:
        yield port
        return
    with far("link", str(port), str(rate)) as link:
        yield link


def frames_of(plan: Plan) -> tuple[FrameSpec, list[np.ndarray]]:
    chance = np.random.default_rng(1)
    shape = (plan.side, plan.side)
    pixels = [chance.integers(0, 4096, shape, np.uint16) for _ in range(DIFFERENT)]
    return FrameSpec(shape, "uint16", camera="cam"), pixels


@contextmanager
def running(worker: str, spec: FrameSpec, folder: Path) -> Iterator[Runtime]:
    """A pipeline that does next to nothing, with answers of the frames' size."""
    pipeline = Pipeline([Stage("plus", models.plus_one(folder / "plus"))])
    with Runtime(pipeline, worker=worker, admission=block(4), on_event=lambda event: None) as runtime:
        runtime.prepare(spec)
        yield runtime


def drive(it: Runtime, pixels: list[np.ndarray], frames: int, fps: float | None = None) -> tuple[float, list[float]]:
    """Seconds until all have their results, and the latencies in ms."""
    results = it.subscribe(block(frames + 1))
    run, began = new_run_id(), time.perf_counter()
    for seq in range(frames):
        if fps is not None:
            time.sleep(max(0.0, began + seq / fps - time.perf_counter()))
        it.submit(Frame(FrameId(run, "cam", 0, seq), pixels[seq % DIFFERENT]))
    it.drain(300.0)
    seconds = time.perf_counter() - began
    found = [result.latency_ms for _ in range(frames) if (result := results.take(1.0)) is not None]
    results.close()
    return seconds, found


def bare(port: int, pixels: list[np.ndarray], frames: int, host: str = "127.0.0.1") -> float:
    """Seconds for the same bytes through a socket, there and back."""
    with socket.create_connection((host, port)) as end:
        buffer, expected = bytearray(1 << 18), frames * pixels[0].nbytes
        began = time.perf_counter()

        def send() -> None:
            for seq in range(frames):
                end.sendall(pixels[seq % DIFFERENT].data)

        sender = threading.Thread(target=send)
        sender.start()
        while expected > 0:
            expected -= end.recv_into(buffer)
        sender.join()
        return time.perf_counter() - began


def throughput(plan: Plan, told: Told) -> list[Row]:
    """Frames per second over each link, ours and a bare socket's, in turns."""
    spec, pixels = frames_of(plan)
    rows = []
    with tempfile.TemporaryDirectory() as place, far("box", place) as box, far("echo") as echo:
        for name, rate in plan.links.items():
            told(f"throughput over {name}")
            ours, theirs = [], []
            with (
                behind(box, rate) as port,
                behind(echo, rate) as other,
                running(f"tcp://127.0.0.1:{port}?pack=never", spec, Path(place)) as it,
            ):
                drive(it, pixels, 4)
                for _ in range(plan.pairs):
                    theirs.append(plan.frames / bare(other, pixels, plan.frames))
                    ours.append(plan.frames / drive(it, pixels, plan.frames)[0])
            ratio = statistics.median(mine / its for mine, its in zip(ours, theirs, strict=True))
            limited = rate is not None
            rows.append(
                Row(
                    f"{plan.side} x {plan.side} uint16 over {name}, there and back",
                    f"{statistics.median(ours):.1f} fps",
                    f"{statistics.median(theirs):.1f} fps bare",
                    ratio,
                    "at least 0.9" if limited else "",
                    ratio >= 0.9 if limited else None,
                    {"ours_fps": ours, "bare_fps": theirs},
                )
            )
    return rows


def latency(plan: Plan, told: Told) -> list[Row]:
    """Latency at a steady pace: on a box over loopback, and in a process of this machine."""
    spec, pixels = frames_of(plan)
    found = {}
    with tempfile.TemporaryDirectory() as place, far("box", place) as box:
        for name, worker in (("box", f"tcp://127.0.0.1:{box}"), ("process", "process")):
            told(f"latency: {name}")
            with running(worker, spec, Path(place)) as it:
                drive(it, pixels, 4)
                found[name] = spread(drive(it, pixels, plan.paced, plan.fps)[1])
    return [
        Row(
            f"latency {which}, {plan.side} x {plan.side} at {plan.fps:g} fps, over loopback",
            f"{found['box'][which]:.2f} ms",
            f"{found['process'][which]:.2f} ms in a process",
            found["box"][which] / found["process"][which],
            detail=found,
        )
        for which in ("p50", "p99")
    ]
