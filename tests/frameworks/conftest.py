"""For the tests with TensorFlow, Keras, CSBDeep and StarDist: quiet, on few threads, in a process without torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

Export = Callable[..., Any]


@pytest.fixture
def counts() -> npt.NDArray[np.uint16]:
    """A noisy frame (1, 40, 36, 1) of uint16 counts with a few bright spots."""
    random = np.random.default_rng(0)
    level = np.full((1, 40, 36, 1), 200.0)
    for y, x in random.integers(3, 33, (12, 2)):
        level[0, y - 1 : y + 2, x - 1 : x + 2, 0] += random.uniform(400, 1500)
    return random.poisson(level).astype(np.uint16)


@pytest.fixture
def make(tmp_path: Path) -> Export:
    """`export_original` into the folder `package`, with what it must be told filled in."""
    from onscope.export import Choices, export_original

    def export(original: Any, example: Any = None, **options: Any) -> Any:
        told = {"name": "a network", "description": "For a test.", "authors": ["A. Author"], "license": "BSD-3-Clause"}
        return export_original(original, tmp_path / "package", Choices(example=example, **{**told, **options}))

    return export
