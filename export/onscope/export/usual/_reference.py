"""What is usual for a package: input statistics and trust values of frames that it is meant for, into its rdf.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime.trust import (
    SIDE,
    STATISTICS,
    Patches,
    Reference,
    fit_reference,
    input_statistics,
    limited,
    restores,
    values_of,
)

Array = npt.NDArray[Any]
Restore = Callable[[Array], Array]
FEW = 2 * len(STATISTICS)
"""Of fewer frames their quarters count as frames too, where they are large enough."""


def reference_of(
    frames: Sequence[Array], restore: Restore, held_out: Iterable[Array] = (), source: str = ""
) -> Reference:
    """The reference of frames (y, x) for a network that answers each with `restore` (y', x').

    Limits are those of the `held_out` frames; without any, of the frames themselves. Frames that are smaller than 64
    pixels, or of one value alone, are left out. Raises ValueError when none remains.
    """
    parts = [part for frame in frames for part in _parts(frame, len(frames) < FEW)]
    known = [found for part in parts if (found := _statistics(part)) is not None]
    rough = fit_reference(known, (), source)
    values = [_values(frame, restore, rough) for frame in held_out] or [_values(part, restore, rough) for part in parts]
    return limited(rough, [each for each in values if each])


def is_restored(frames: Sequence[Array], restore: Restore) -> bool:
    """Whether the answers to all of the frames are these frames, restored."""
    return bool(frames) and all(restores(frame, restore(frame)) for frame in frames)


def write_reference(rdf: Path, reference: Reference) -> None:
    """Put it under config.onscope.trust; all else in the file stays as it is written."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq

    def in_line(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: in_line(inner) for name, inner in value.items()}
        if not isinstance(value, (list, tuple)):
            return value
        if value and isinstance(value[0], (list, tuple)):
            return [in_line(inner) for inner in value]
        line = CommentedSeq(value)
        line.fa.set_flow_style()
        return line

    yaml = YAML()
    yaml.width = 90
    yaml.indent(mapping=2, sequence=4, offset=2)  # as exports write it
    content = yaml.load(rdf.read_text(encoding="utf-8"))
    own = content
    for name in ("config", "onscope"):
        if not isinstance(own.get(name), Mapping):
            own[name] = {}
        own = own[name]
    own["trust"] = in_line(reference.plain())
    with rdf.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _parts(frame: Array, quarters: bool) -> list[Array]:
    tall, wide = frame.shape[0] // 2, frame.shape[1] // 2
    if not quarters or min(tall, wide) < 2 * SIDE:
        return [frame]
    return [frame, *(frame[y : y + tall, x : x + wide] for y in (0, tall) for x in (0, wide))]


def _statistics(frame: Array) -> npt.NDArray[np.float64] | None:
    patches = Patches((frame.shape[0], frame.shape[1]))
    return input_statistics(patches.of(frame)) if patches.corners else None


def _values(frame: Array, restore: Restore, rough: Reference) -> dict[str, float]:
    patches = Patches((frame.shape[0], frame.shape[1]))
    if not patches.corners:
        return {}
    values, _ = values_of(patches.of(frame), patches.of(restore(np.ascontiguousarray(frame))), rough)
    return {name: value for name, value in values.items() if name != "suspicion"}
