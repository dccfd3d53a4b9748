"""What windows cost here: the pipeline's own graphs on this machine's provider, and what the PC does beside them."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._frame import FrameSpec, Pixels
from ._cost import Cost, thinned
from ._measured_batches import measure_batches

if TYPE_CHECKING:
    from .._pipeline import Pipeline

WARM_UPS = 3
SOME = 64 << 20
"""Bytes that are copied and sent to learn how fast that goes: more than caches hold."""
HANDOVER_MS = 0.2
"""A message between two processes that are idle (`worker._messages.LONG_NS`)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of a window's frames, and of its answers."""

    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Pc:
    """How many bytes a second this PC copies into slots, and sends or receives with a copy before: 0 is not known."""

    copies_per_s: float = 0.0
    sends_per_s: float = 0.0

    def copy_ms(self, size: int) -> float:
        """Of a frame into its slot."""
        return size / self.copies_per_s * 1e3 if self.copies_per_s else 0.0

    def send_ms(self, size: int) -> float:
        """Of a message to or from a server, in the worker's process."""
        return size / self.sends_per_s * 1e3 if self.sends_per_s else 0.0


def measure(
    pipeline: Pipeline,
    spec: FrameSpec,
    window: Sequence[Pixels],
    provider: str,
    threads: int | None,
    seconds: float,
    batches: Sequence[int] = (),
) -> tuple[Cost, Sizes]:
    """Milliseconds per window of frames like `spec` in this process, one window at a time, for about `seconds`.

    And as long again for batches of these sizes, with the graphs that `onscope deploy` gives to a server; where there
    are none, `facts["no_batches"]` says why. Raises what opening the pipeline raises.
    """
    from ..record import machine, versions
    from ..worker import Chain, timed

    chain = Chain(pipeline.on(provider).opening(spec, provider, threads))
    answers: Sequence[Any] = ()
    for _ in range(WARM_UPS):
        answers, _ = chain.run(window)
    times = timed(lambda: chain.run(window), seconds)
    used = "+".join(dict.fromkeys(group.provider for group in chain.groups)) or "host"
    here, load = machine(), os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    known = {name: number for name, number in versions().items() if name in KNOWN}
    facts = {
        "machine": here,
        "versions": known,
        "threads": threads or here["cores"],
        "load": round(load, 2),
        "runs": len(times),
    }
    number = known.get("onnxruntime", "?")
    source = (
        f"{len(times)} windows measured on {here['cpu']}, {here['cores']} cores, onnxruntime {number}, load {load:.1f}"
    )
    sizes = Sizes(sum(frame.nbytes for frame in window), sum(np.asarray(answer).nbytes for answer in answers))
    ms = {1: thinned(times)}
    if batches:
        more, why = measure_batches(chain, times, batches, threads, seconds)
        ms |= {size: thinned(each) for size, each in more.items()}
        if why:
            facts["no_batches"] = why
    for group in chain.groups:
        group.close()
    return Cost(ms, used, source, 1, spec.shape, len(window), sizes.down, facts), sizes


KNOWN = ("onscope", "python", "onnxruntime", "tensorrt", "numpy", "openvino")


def measure_pc() -> Pc:
    """How fast this PC copies and sends, over the loopback: bytes into a message, through a socket and out again."""
    frames = np.random.default_rng(0).integers(0, 4000, (8, SOME // 16), np.uint16)
    slots = np.zeros_like(frames)
    np.copyto(slots, frames)
    began = time.perf_counter()
    for frame, slot in zip(frames, slots, strict=True):
        np.copyto(slot, frame)
    copies = frames.nbytes / (time.perf_counter() - began)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        taker = threading.Thread(target=_take, args=(theirs, frames.nbytes))
        taker.start()
        began = time.perf_counter()
        for frame in frames:
            ours.sendall(frame.tobytes())
        taker.join()
        sends = frames.nbytes / (time.perf_counter() - began)
    return Pc(copies, sends)


def _take(end: socket.socket, size: int) -> None:
    held = bytearray(1 << 20)
    while size > 0 and (got := end.recv_into(held)):
        size -= got
