"""Ways to write frames: the recorder's, and bare ones with the same chunks, codecs and durability.

Each way returns frames per second, from the first frame to the moment when all of them are on the disk. What is needed
before the first frame (processes, files) is made before, and some frames are written to warm up.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import tensorstore as ts
import zarr
from tests.models import plus_one
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec

from onscope.runtime import Frame, FrameId, FrameSpec, Pipeline, Runtime, Stage, keep_newest, now_ns
from onscope.runtime._frame import Pixels
from onscope.runtime.record import Recording
from onscope.runtime.record._array import array_spec
from onscope.runtime.record._flight import MAX_BYTES, MAX_WRITES

WARM_UPS = 10
Way = Callable[[Path, Sequence[Pixels]], float]


def bare_tensorstore(folder: Path, frames: Sequence[Pixels]) -> float:
    """Write after write from where the frames are, as many under way at once as the recorder has."""
    first = frames[0]
    spec = array_spec(folder / "0", (WARM_UPS + len(frames), *first.shape), (1, *first.shape), first.dtype, "tyx")
    array = ts.open(spec, create=True).result()
    most = min(MAX_WRITES, max(2, MAX_BYTES // first.nbytes))
    began = 0
    under_way: deque[Any] = deque()
    for number, pixels in enumerate([*frames[:WARM_UPS], *frames]):
        if number == WARM_UPS:
            while under_way:
                under_way.popleft().result()
            began = now_ns()
        future = array[number].write(pixels, can_reference_source_data_indefinitely=True).commit
        future.force()
        under_way.append(future)
        if len(under_way) > most:
            under_way.popleft().result()
    while under_way:
        under_way.popleft().result()
    return len(frames) / (now_ns() - began) * 1e9


def bare_zarr(folder: Path, frames: Sequence[Pixels]) -> float:
    """Frame after frame with zarr-python; each chunk is synchronised, which it does not do itself."""
    first = frames[0]
    array = zarr.create_array(
        folder / "0",
        shape=(WARM_UPS + len(frames), *first.shape),
        chunks=(1, *first.shape),
        dtype=first.dtype,
        serializer=BytesCodec(),
        compressors=[BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle", typesize=first.itemsize), Crc32cCodec()],
    )
    began = 0
    for number, pixels in enumerate([*frames[:WARM_UPS], *frames]):
        if number == WARM_UPS:
            began = now_ns()
        array[number] = pixels
        chunk = os.open(folder / "0" / "c" / str(number) / "0" / "0", os.O_RDONLY)
        os.fsync(chunk)
        os.close(chunk)
    return len(frames) / (now_ns() - began) * 1e9


def through_save(format: str = "ome-zarr") -> Way:
    """`Recording.save`: a copy into a slot, and the rest in the recorder process."""

    def way(folder: Path, frames: Sequence[Pixels]) -> float:
        with Recording(folder / "run", format=format) as recording:
            return _timed(frames, recording.save, recording)

    return way


def from_slots(folder: Path, frames: Sequence[Pixels]) -> float:
    """`Runtime.submit`: from the slots that frames stand in for a model, which hangs: nothing else takes time."""
    first = frames[0]
    pipeline = Pipeline([Stage("plus", plus_one(folder / "plus"))])
    with (
        Recording(folder / "run") as recording,
        Runtime(pipeline, admission=keep_newest(2), patience_s=3600.0, record=recording) as runtime,
    ):
        runtime.prepare(FrameSpec(first.shape, first.dtype.name))
        worker = psutil.Process(runtime.worker_pid)
        worker.suspend()
        try:
            return _timed(frames, runtime.submit, recording)
        finally:
            worker.resume()


def _timed(frames: Sequence[Pixels], give: Callable[[Frame], object], recording: Recording) -> float:
    for seq in range(WARM_UPS):
        give(_frame(seq, frames))
    _wait(recording, WARM_UPS)
    began = now_ns()
    for seq in range(WARM_UPS, WARM_UPS + len(frames)):
        give(_frame(seq, frames))
    _wait(recording, WARM_UPS + len(frames))
    return len(frames) / (now_ns() - began) * 1e9


def _frame(seq: int, frames: Sequence[Pixels]) -> Frame:
    return Frame(FrameId("bench", "camera", 0, seq), frames[seq % len(frames)], index={"t": seq})


def _wait(recording: Recording, count: int) -> None:
    while recording.raw_frames < count:
        if recording.sink.failure is not None:
            raise recording.sink.failure
        time.sleep(0.0005)
