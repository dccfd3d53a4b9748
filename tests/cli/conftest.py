"""A small pipeline of real packages, a stack of images to run it on, and the command line to call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tifffile

from onscope.cli import main
from tests import models

FRAMES = 12


class Said(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line, called in this process."""

    def call(*words: object) -> Said:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        code = end.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, out, err)

    return call


@pytest.fixture(scope="session")
def pipeline_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """plus (adds 1) -> double (2x as large), found (a table)."""
    folder = tmp_path_factory.mktemp("pipeline")
    models.pipeline(folder)
    path = folder / "pipeline.yaml"
    path.write_text(
        "schema: 1\nstages:\n  plus: {package: plus}\n  double: {package: double, reads: plus}\n"
        "  found: {package: found, reads: plus}\n"
    )
    return path


@pytest.fixture(scope="session")
def images() -> np.ndarray:
    """FRAMES images of seeded noise, uint16."""
    return np.random.default_rng(0).integers(0, 4000, (FRAMES, 48, 64), dtype=np.uint16)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, images: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("stack") / "stack.tif"
    tifffile.imwrite(path, images, photometric="minisblack")
    return path
