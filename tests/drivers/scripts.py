"""For tests of the scripted camera: a clock set by hand, any script, and a plain model of what it must give."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from onscope.drivers import scripted
from onscope.runtime import Frame, SourceError

SMALL = (8, 10)


@dataclass
class HandClock:
    """Time that passes only while a camera waits, and when a test says so."""

    at_ns: int = 1_000

    def now_ns(self) -> int:
        return self.at_ns

    def wait_until(self, due_ns: int) -> None:
        assert due_ns > self.at_ns
        self.at_ns = due_ns


def crc(frame: Frame) -> int:
    return zlib.crc32(np.ascontiguousarray(frame.pixels).data)


def told(frame: Frame) -> tuple[Any, ...]:
    """All that a frame says of itself but its run and moment."""
    return (
        *frame.id[1:], crc(frame), frame.pixels.shape, frame.pixels.dtype.name, frame.axes, dict(frame.index),
        dict(frame.labels), frame.exposure_ms, frame.pixel_size_um, frame.stage_um,
    )  # fmt: skip


def until_it_fails(frames: Iterator[Frame]) -> tuple[list[Frame], str]:
    """The frames, and the message of the SourceError that ended them ("" if none did)."""
    taken = []
    try:
        for frame in frames:
            taken.append(frame)
    except SourceError as error:
        return taken, str(error)
    return taken, ""


counts = st.integers(1, 12)
rates = st.sampled_from([20.0, 50.0, 100.0, 500.0, 1000.0])
places = st.one_of(st.none(), st.integers(0, 5))
named_places = st.one_of(places, st.sampled_from(["DAPI", "GFP", "well A"]))
changes = st.builds(
    scripted.Change,
    shape=st.one_of(st.none(), st.tuples(st.integers(8, 20), st.integers(8, 20))),
    dtype=st.sampled_from([None, "uint8", "uint16", "float32"]),
    axes=st.sampled_from([None, "yx", "yxs"]),
    exposure_ms=st.sampled_from([None, 1.0, 12.5]),
    pixel_size_um=st.sampled_from([None, 0.065, 0.2]),
)
steps = st.one_of(
    st.builds(scripted.Steady, counts, rates, st.floats(0, 1)),
    st.builds(scripted.Burst, counts, st.one_of(st.none(), rates)),
    st.builds(scripted.Pause, st.integers(0, 50)),
    st.builds(scripted.Drop, counts),
    st.just(scripted.Restart()),
    changes,
    st.builds(scripted.Move, named_places, named_places, places, st.sampled_from([None, (1.0, 2.0, 3.0)])),
    st.builds(scripted.Fail, st.sampled_from(["unplugged", "on fire"])),
)
scripts = st.lists(steps, max_size=12)


@dataclass
class Model:
    """What a camera of `SMALL` uint16 frames gives, in the plainest way; one call of `play` per call of `frames`."""

    script: Sequence[Any]
    segment: int = 0
    at: int = 0
    look: dict[str, Any] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: {"p": [], "c": []})

    def reset(self) -> None:
        self.at = 0
        self.look = {"size": SMALL, "dtype": "uint16", "axes": "yx", "exposure_ms": None, "pixel_size_um": None}
        self.look |= {"index": {}, "labels": {}, "stage_um": None}
        self.names = {"p": [], "c": []}

    def play(self) -> tuple[list[tuple[Any, ...]], str]:
        """The frames as `told`, but for the CRC, and the message of a Fail."""
        if self.at in (0, len(self.script)):
            self.reset()
        first, seq, given, frames = self.segment, 0, self.segment, []
        segment = first
        for step in self.script[self.at :]:
            self.at += 1
            match step:
                case scripted.Steady() | scripted.Burst():
                    for _ in range(step.n or 0):
                        frames.append(self._told(segment, seq))
                        given, seq = segment, seq + 1
                case scripted.Drop():
                    seq += step.n
                case scripted.Restart():
                    segment, seq = segment + 1, 0
                case scripted.Change():
                    segment, seq = segment + 1, 0
                    stated = {key: getattr(step, key) for key in ("dtype", "axes", "exposure_ms", "pixel_size_um")}
                    self.look |= {key: value for key, value in {**stated, "size": step.shape}.items() if value}
                case scripted.Move():
                    self._move(step)
                case scripted.Fail():
                    self.segment = given + 1
                    return frames, step.message
        self.segment, self.at = given + 1, 0
        return frames, ""

    def _move(self, step: scripted.Move) -> None:
        index, labels = dict(self.look["index"]), dict(self.look["labels"])
        for axis, value in {"p": step.position, "c": step.channel, "z": step.z}.items():
            if value is None:
                continue
            labels.pop(axis, None)
            if isinstance(value, str):
                if value not in self.names[axis]:
                    self.names[axis].append(value)
                labels[axis], value = value, self.names[axis].index(value)
            index[axis] = value
        self.look |= {"index": index, "labels": labels, "stage_um": step.stage_um or self.look["stage_um"]}

    def _told(self, segment: int, seq: int) -> tuple[Any, ...]:
        look = self.look
        shape = (*look["size"], 3) if look["axes"] == "yxs" else look["size"]
        index = {"t": seq, **look["index"]}
        return (
            "cam", segment, seq, shape, look["dtype"], look["axes"], index, look["labels"], look["exposure_ms"],
            look["pixel_size_um"], look["stage_um"],
        )  # fmt: skip


def without_crc(frames: Iterable[Frame]) -> list[tuple[Any, ...]]:
    return [(*one[:3], *one[4:]) for one in map(told, frames)]
