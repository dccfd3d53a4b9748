"""In a program with a Qt application the signals of pymmcore-plus are Qt's: frames are taken at once."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import sys, threading
from pathlib import Path

from qtpy.QtCore import QCoreApplication
app = QCoreApplication([])

import useq
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus
from onscope.runtime import Pipeline, Runtime, Stage, block
from tests import models

core = CMMCorePlus()
core.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
core.setROI(0, 0, 64, 48)
assert "Q" in type(core.mda.events).__name__
pipeline = Pipeline([Stage("plus", models.plus_one(Path(sys.argv[1])))])
with Runtime(pipeline, worker="thread", admission=block(4)) as runtime, runtime.attach(core):
    core.run_mda(useq.MDASequence(time_plan={"interval": 0, "loops": 5})).join()  # Qt has no turn meanwhile
    print(runtime.ledger.submitted, flush=True)
"""


def test_frames_are_taken_while_qt_has_no_turn(tmp_path: Path) -> None:
    if find_spec("PySide6") is None and find_spec("PyQt6") is None:
        pytest.skip("Qt is not installed: it comes with the extra napari")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "plus")], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["5"], done.stderr
