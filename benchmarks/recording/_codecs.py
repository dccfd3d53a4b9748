"""What compression and chunking cost and bring: megabytes per second, size, and processor time per frame."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from onscope.runtime import now_ns
from onscope.runtime._frame import Pixels
from onscope.runtime.record._array import array_spec

from .._rows import Row, spread
from ._frames import KINDS, spread_over
from ._plan import Plan
from ._recorded import Tell, places

Codec = dict[str, Any]
CRC: Codec = {"name": "crc32c"}
BYTES: Codec = {"name": "bytes", "configuration": {"endian": "little"}}
IN_FLIGHT = 32


def blosc(cname: str, level: int, shuffle: str = "bitshuffle") -> Codec:
    """What Blosc does with two-byte pixels."""
    settings = {"cname": cname, "clevel": level, "shuffle": shuffle, "typesize": 2, "blocksize": 0}
    return {"name": "blosc", "configuration": settings}


@dataclass(frozen=True)
class Layout:
    """`codecs` behind the pixels' bytes; `tile` pixels of a frame's edge are a chunk (0: the whole frame).

    With `shard`, so many frames share a file, each a chunk of its own in it.
    """

    codecs: tuple[Codec, ...]
    tile: int = 0
    shard: int = 0


DEFAULT = "LZ4 1 on bit planes"
LAYOUTS: Mapping[str, Layout] = {
    DEFAULT: Layout((blosc("lz4", 1), CRC)),
    "LZ4 1 on bit planes, without CRC-32C": Layout((blosc("lz4", 1),)),
    "nothing": Layout((CRC,)),
    "LZ4 1 on bytes": Layout((blosc("lz4", 1, "shuffle"), CRC)),
    "LZ4 5 on bit planes": Layout((blosc("lz4", 5), CRC)),
    "zstd 1 on bit planes": Layout((blosc("zstd", 1), CRC)),
    "zstd 3 on bit planes": Layout((blosc("zstd", 3), CRC)),
    "zstd 5 on bytes": Layout((blosc("zstd", 5, "shuffle"), CRC)),
    "plain zstd 1": Layout(({"name": "zstd", "configuration": {"level": 1}}, CRC)),
    "LZ4 1 on bit planes, tiles of 256": Layout((blosc("lz4", 1), CRC), tile=256),
    "LZ4 1 on bit planes, 16 frames per shard": Layout((blosc("lz4", 1), CRC), shard=16),
}


@dataclass(frozen=True)
class Cost:
    """Of one turn: megabytes of pixels per second, how many times smaller they became, and processor ms per frame."""

    mb_per_s: float
    ratio: float
    cpu_ms: float


def measure_codecs(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Each layout against the default, by what a bare write with it costs, on the disk."""
    for where, place in list(places(plan).items())[:1]:
        for case in plan.codes:
            for kind in (*plan.kinds, "real"):
                images = KINDS[kind](case.size)
                if not images:
                    continue
                tell(f"  {case.size}x{case.size} {kind}, {where}")
                frames = spread_over(images, case.frames)
                costs = _in_turns(frames, place, plan.code_rounds)
                for name in LAYOUTS:
                    yield _row(f"{name}; {case.size}x{case.size} uint16 {kind}, {where}", costs[name], costs[DEFAULT])


def _in_turns(frames: Sequence[Pixels], place: Path, rounds: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in LAYOUTS}
    _in_folder(LAYOUTS[DEFAULT], place, frames[:8])  # what is made once: threads, buffers
    for _ in range(rounds):
        for name, layout in LAYOUTS.items():
            costs[name].append(_in_folder(layout, place, frames))
    return costs


def _in_folder(layout: Layout, place: Path, frames: Sequence[Pixels]) -> Cost:
    folder = Path(tempfile.mkdtemp(dir=place))
    try:
        return _written(layout, folder, frames)
    finally:
        shutil.rmtree(folder)


def _written(layout: Layout, folder: Path, frames: Sequence[Pixels]) -> Cost:
    first = frames[0]
    array = ts.open(_spec(layout, folder / "0", frames), create=True).result()
    began, cpu = now_ns(), _cpu_s()
    under_way: deque[Any] = deque()
    if layout.shard:  # a shard is written at once: a part of it would be read and written again
        for start in range(0, len(frames), layout.shard):
            block = np.stack(frames[start : start + layout.shard])
            under_way.append(array[start : start + len(block)].write(block).commit)
            under_way[-1].force()
            if len(under_way) > 1:
                under_way.popleft().result()
    else:
        for number, pixels in enumerate(frames):
            under_way.append(array[number].write(pixels, can_reference_source_data_indefinitely=True).commit)
            under_way[-1].force()
            if len(under_way) > IN_FLIGHT:
                under_way.popleft().result()
    while under_way:
        under_way.popleft().result()
    seconds, cpu = (now_ns() - began) / 1e9, _cpu_s() - cpu
    nbytes = len(frames) * first.nbytes
    stored = sum(path.stat().st_size for path in (folder / "0" / "c").rglob("*") if path.is_file())
    return Cost(nbytes / seconds / 1e6, nbytes / stored, 1e3 * cpu / len(frames))


def _spec(layout: Layout, path: Path, frames: Sequence[Pixels]) -> dict[str, Any]:
    first = frames[0]
    edge = min(layout.tile or first.shape[0], first.shape[0])
    spec = array_spec(path, (len(frames), *first.shape), (1, edge, edge), first.dtype, "tyx")
    codecs: list[Codec] = [BYTES, *layout.codecs]
    if layout.shard:
        inner = {"chunk_shape": [1, *first.shape], "codecs": codecs}
        codecs = [{"name": "sharding_indexed", "configuration": inner}]
        spec["metadata"]["chunk_grid"]["configuration"]["chunk_shape"] = [layout.shard, *first.shape]
    spec["metadata"]["codecs"] = codecs
    return spec


def _cpu_s() -> float:
    """Processor time of all threads of this process, the system's part included."""
    return time.process_time()


def _row(what: str, mine: Sequence[Cost], default: Sequence[Cost]) -> Row:
    ratio = float(np.median([one.mb_per_s / other.mb_per_s for one, other in zip(mine, default, strict=True)]))
    detail = {name: spread([getattr(cost, name) for cost in mine]) for name in ("mb_per_s", "ratio", "cpu_ms")}
    return Row(what, _words(mine), _words(default), round(ratio, 3), detail=detail)


def _words(costs: Sequence[Cost]) -> str:
    rate, ratio, cpu = (float(np.median([getattr(cost, name) for cost in costs])) for name in Cost.__annotations__)
    return f"{rate:.0f} MB/s, {ratio:.2f}x smaller, {cpu:.2f} ms"
