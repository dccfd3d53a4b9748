"""`onscope run` on disks that are full, cannot be written to, or vanish: one sentence, exit code 1, nothing lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from onscope.runtime import RecordError
from onscope.runtime.record import open_recording
from onscope.runtime.record._place import Hold
from onscope.runtime.record.repair import repair
from onscope.runtime.record.verify import verify
from tests.disks import block_disk, run, small_disk

from .conftest import Call

PAGES, SIDE = 400, 256


@pytest.fixture(scope="module")
def long_stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 MB of noise, which no compression makes smaller."""
    path = tmp_path_factory.mktemp("long") / "stack.tif"
    images = np.random.default_rng(1).integers(0, 65535, (PAGES, SIDE, SIDE), dtype=np.uint16)
    tifffile.imwrite(path, images, photometric="minisblack")
    return path


def one_sentence(text: str) -> str:
    assert "Traceback" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("error: ")]
    return line


def test_a_full_disk_ends_the_run_in_order(call: Call, pipeline_file: Path, long_stack: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 90) as disk:
        words = ("--source", f"replay:{long_stack}", "--fps", "200", "--worker", "thread", "--out", disk / "run")
        said = call("run", pipeline_file, *words)
        assert said.code == 1, said.out
        assert "MB free" in one_sentence(said.err) or "No space left" in said.err
        kept = open_recording(disk / "run")
        assert len(kept) > 5
        assert kept.verify() == []
        run("mount", "-o", "remount,size=200m", disk)
        assert repair(disk / "run").left == ()
        report = verify(disk / "run", sample=2)
        assert report.good, report.faults


def test_a_disk_that_can_only_be_read(call: Call, pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        run("mount", "-o", "remount,ro", disk)
        words = ("--source", f"replay:{stack}", "--worker", "thread", "--out", disk / "run")
        said = call("run", pipeline_file, *words)
        assert said.code == 1
        assert "(Read-only file system): choose a folder that can be written to" in one_sentence(said.err)


@pytest.mark.long
def test_a_disk_that_vanishes(pipeline_file: Path, long_stack: Path, tmp_path: Path) -> None:
    with block_disk(tmp_path, 128) as disk:
        words = ["run", str(pipeline_file), "--source", f"replay:{long_stack}", "--fps", "40", "--worker", "thread"]
        child = subprocess.Popen(
            [sys.executable, "-m", "onscope.cli", *words, "--out", str(disk.place / "run")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        acknowledged = 0
        while child.poll() is None and acknowledged < 15:
            time.sleep(0.05)
            with contextlib.suppress(RecordError):
                acknowledged = len(open_recording(disk.place / "run"))
        disk.vanish()
        said, wrong = child.communicate(timeout=100)
        assert child.returncode == 1, said + wrong
        one_sentence(wrong)
        disk.come_back()
        Hold(disk.place / "run", 60.0).close()
        assert repair(disk.place / "run").left == ()
        assert len(open_recording(disk.place / "run")) >= 15
        report = verify(disk.place / "run", sample=2)
        assert report.good, report.faults
