"""What a pycro-manager script does today: a hook that is slower than the camera ends the acquisition."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .acquisition import acquire

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, sys, time
from pathlib import Path
from tests.drivers.acquisition import acquire

def plain_hook(image, metadata):
    time.sleep(0.2)  # the model
    return image, metadata

acquired = acquire(Path(sys.argv[1]), 400, plain_hook, exposure_ms=10.0, buffer_mb=64)
print(json.dumps([str(acquired.error), len(acquired.saved)]), flush=True)
"""


@pytest.mark.long
def test_a_slow_hook_ends_the_acquisition(tmp_path: Path) -> None:
    # In a process of its own: what an overflow leaves of a core is nothing that other tests should run beside.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    error, saved = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[")))
    assert "Sequence buffer overflow" in error
    assert 0 < saved < 400


def test_a_fast_hook_saves_every_frame_as_the_camera_gave_it(tmp_path: Path) -> None:
    acquired = acquire(tmp_path, 40, lambda image, metadata: (image, metadata), size=128)
    assert acquired.error is None
    assert sorted(acquired.saved) == list(range(40))
    assert acquired.saved == acquired.given
    assert len(set(acquired.saved.values())) == 40
