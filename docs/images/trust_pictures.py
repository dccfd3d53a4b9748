"""Makes the picture of docs/trust.md: python docs/images/trust_pictures.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._quality import onnx_runner
from onscope.export.zoo._scenes import draw_demo
from onscope.runtime.drawing import ACCENT, FAINT, TEXT, WARM, Canvas, Look, render, ring_marks
from onscope.runtime.trust import error_map

Array = npt.NDArray[Any]
HERE = Path(__file__).parent
SIDE, CELL, EDGE, GAP, HEAD = 256, 420, 24, 14, 96
INVENTED = ((70, 190), (188, 60))
"""Rows and columns where the answer has a bead that the frame has not."""
SIGMA_PX, PEAK_COUNTS = 2.5, 60.0
MOST = 8.0
"""Of a map: standard deviations of the noise in a block that have the full colour."""


def _coloured(found: Array, noise: float, size: int) -> Array:
    """Blue where light is missing in the answer, red where it was put in, uint8 RGB."""
    part = np.clip(found / (MOST * noise / 8), -1, 1)[..., None]
    missing, put = np.array([86.0, 204.0, 242.0]), np.array([255.0, 90.0, 80.0])
    dark = np.array([17.0, 20.0, 27.0])
    shown = np.where(part > 0, dark + part * (missing - dark), dark - part * (put - dark))
    return np.asarray(cv2.resize(shown.astype(np.uint8), (size, size), interpolation=cv2.INTER_NEAREST))


def main() -> None:
    """A frame, its answer, an answer with two beads too many and one too few, and the map of that."""
    example = draw_demo(90_000_001, (SIDE, SIDE))
    frame = example.frame
    answer = onnx_runner(PACKAGES / "care-beads" / "weights.onnx", 1)(frame)
    noise = float((frame.astype(np.float32) - answer).std())
    wrong = answer.astype(np.float32)
    y, x = np.mgrid[:SIDE, :SIDE]
    for row, column in INVENTED:
        wrong += PEAK_COUNTS * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * SIGMA_PX**2)).astype(np.float32)
    calm = cv2.GaussianBlur(wrong[40:-40, 40:-40], (0, 0), 2.0)
    for row, column in INVENTED:
        calm[max(0, row - 60) : row - 20, max(0, column - 60) : column - 20] = 0
    gone = tuple(int(place) + 40 for place in np.unravel_index(int(calm.argmax()), calm.shape))
    level = np.float32(np.median(wrong))
    hole = np.exp(-((y - gone[0]) ** 2 + (x - gone[1]) ** 2) / (2 * 5.0**2)).astype(np.float32)
    wrong = wrong * (1 - hole) + level * hole
    maps = [error_map(frame, each).map for each in (answer, wrong)]
    look, zoom = Look.of(frame), CELL / SIDE
    marks = [np.array(INVENTED) * zoom, np.array([gone]) * zoom]
    tainted = render(wrong, look, CELL, CELL)
    for centres, colour in zip(marks, (WARM, ACCENT), strict=True):
        tainted = ring_marks(tainted, centres, 16, colour, 2)
    panels = [
        ("frame", "as the camera gave it", render(frame, look, CELL, CELL)),
        ("answer", "of care-beads", render(answer, look, CELL, CELL)),
        ("its map", "nothing but noise", _coloured(maps[0], noise, CELL)),
        ("a wrong answer", "two beads invented, one taken away", tainted),
        ("its map", "red: put in; blue: missing", _coloured(maps[1], noise, CELL)),
    ]
    canvas = Canvas(2 * EDGE + len(panels) * (CELL + GAP) - GAP, HEAD + CELL + EDGE)
    canvas.text(EDGE, 14, "The error map: raw - restored, by means over 8 x 8 pixels", 22)
    for number, (title, words, pixels) in enumerate(panels):
        left = EDGE + number * (CELL + GAP)
        canvas.text(left, 48, title, 17, TEXT)
        canvas.text(left, 70, words, 13, FAINT)
        canvas.image(left, HEAD, pixels)
    canvas.save(HERE / "trust-map.png")


if __name__ == "__main__":
    main()
