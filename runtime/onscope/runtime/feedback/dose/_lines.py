"""A file's lines: eight digits of CRC-32, a blank, JSON. What was cut or damaged at the end is told apart."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..._errors import RecordError
from ._grid import SIDE, Floats, Patch

SCHEMA = 1


class Whole(NamedTuple):
    """The lines of a file that are whole, and how many bytes those take."""

    lines: list[dict[str, Any]]
    nbytes: int


def line_of(content: dict[str, Any]) -> bytes:
    """One line; floats come back as they were."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def read_lines(path: Path) -> Whole:
    """All whole lines, up to where the file was cut in the middle of a write.

    Raises RecordError where a damaged line has whole ones behind it: doses would be forgotten.
    """
    found = Whole([], 0)
    damaged = 0
    nbytes = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            nbytes += len(line)
            content = _content(line)
            if content is None:
                damaged = damaged or number
            elif damaged:
                raise RecordError(
                    f"found line {damaged} of {path} damaged, expected its checksum to fit: take a copy of the file "
                    "from before, or begin a new one, and know that the doses of this one are lost"
                )
            else:
                found.lines.append(content)
                found = Whole(found.lines, nbytes)
    return found


def _content(line: bytes) -> dict[str, Any] | None:
    crc, blank, text = line[:8], line[8:9], line[9:-1]
    if blank != b" " or line[-1:] != b"\n" or crc != b"%08x" % zlib.crc32(text):
        return None
    content = json.loads(text)
    return content if isinstance(content, dict) else None


def head(cell_um: float) -> dict[str, Any]:
    """The first line: units and cells."""
    return {"onscope": "light dose", "schema": SCHEMA, "unit": "J/cm2", "cell_um": cell_um}


def cell_of(path: Path, lines: list[dict[str, Any]]) -> float:
    """The cells' size of a file; raises RecordError where it is none of ours."""
    first = lines[0] if lines else {}
    if first.get("onscope") != "light dose" or first.get("schema") != SCHEMA:
        raise RecordError(f"found {path} without the head of a file of light doses, expected one: choose another file")
    return float(first["cell_um"])


def patch_line(patch: Patch) -> list[Any]:
    """A patch of the grid as JSON: with its lit cells as bits, where it is not all of them."""
    values = [*patch[:4], patch.j_cm2]
    return values if patch.lit is None else [*values, base64.b64encode(np.packbits(patch.lit).tobytes()).decode()]


def patch_from(values: list[Any]) -> Patch:
    """Back."""
    if len(values) == 5:
        return Patch(*values)
    top, left, rows, columns, dose, bits = values
    lit = np.unpackbits(np.frombuffer(base64.b64decode(bits), np.uint8), count=rows * columns).astype(bool)
    return Patch(top, left, rows, columns, dose, lit.reshape(rows, columns))


def packed(values: Floats) -> str:
    """Numbers as they are in memory: they are written with every action, which leaves no time to press them."""
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def unpacked(text: str) -> Floats:
    """Back, in one row."""
    return np.frombuffer(base64.b64decode(text), "<f8").astype(np.float64)


def block_line(key: tuple[int, int], block: Floats) -> list[Any]:
    """A block of the grid, pressed."""
    return [*key, base64.b64encode(zlib.compress(block.astype("<f8").tobytes(), 1)).decode()]


def block_from(values: list[Any]) -> tuple[tuple[int, int], Floats]:
    """Back."""
    row, column, text = values
    block = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<f8").astype(np.float64)
    return (row, column), block.reshape(SIDE, SIDE)
