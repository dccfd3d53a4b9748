"""What rules see of a result, made where its pixels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..._frame import Frame, Pixels
from ..._result import Result
from .._proposal import Seen
from ._image_numbers import ImageNumbers, is_image_number
from ._needs import EVERYTHING, Needs
from ._spot import BEGAN_ANEW

NOTHING: Pixels = np.zeros((0, 0), np.uint8)
NOTHING.flags.writeable = False


def seen_of(result: Result, number: int, now_ns: int, needs: Needs = EVERYTHING) -> Seen:
    """Everything of a result but its pixels; of images only the numbers that are needed.

    `number` counts results since the start, `now_ns` is the moment at which rules are asked. Tables are the result's
    own. Beside those of images, numbers tell "STAGE.suspect" (1 or 0, of stages whose trust was looked at),
    "STAGE.count" (rows of a table), "result.latency_ms" and "result.began_anew" (tracks and recurrent networks did).
    """
    frame = result.frame
    numbers = {"result.latency_ms": result.latency_ms, BEGAN_ANEW: float(result.state_reset)}
    tables = {}
    for stage, answer in result.answers.items():
        if answer.dtype.names is None:
            continue
        numbers[f"{stage}.count"] = float(len(answer))
        if needs.tables is None or stage in needs.tables:
            tables[stage] = answer
    numbers |= {f"{stage}.suspect": float(bool(result.suspect.get(stage))) for stage in result.trust}
    images: dict[str, ImageNumbers] = {}
    for name in needs.numbers:
        stage, _, value = name.partition(".")
        image = frame.pixels if stage == "frame" else result.answers.get(stage)
        if image is None or image.dtype.names is not None or image.ndim not in (2, 3) or not is_image_number(value):
            continue
        if stage not in images:
            images[stage] = ImageNumbers(image)
        numbers[name] = images[stage].number(value)
    return Seen(
        number=number,
        frame=bare(frame),
        shape=(frame.pixels.shape[0], frame.pixels.shape[1]),
        tables=tables,
        numbers=numbers,
        trust={stage: dict(values) for stage, values in result.trust.items()},
        suspect={stage: tuple(names) for stage, names in result.suspect.items()},
        now_ns=now_ns,
        models={stage: told.package for stage, told in result.provenance.items() if told.package},
    )


def bare(frame: Frame) -> Frame:
    """The frame without its pixels; its mappings as plain ones, which travel between processes."""
    return replace(frame, pixels=NOTHING, index=dict(frame.index), labels=dict(frame.labels))
