"""What a pycro-manager script does today: a hook that is slower than the camera ends the acquisition."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from .acquisition import acquire

MODEL_S = 0.2


@pytest.mark.slow
def test_a_slow_hook_ends_the_acquisition(tmp_path: Path) -> None:
    def plain_hook(image: Any, metadata: Any) -> Any:
        time.sleep(MODEL_S)
        return image, metadata

    acquired = acquire(tmp_path, 400, plain_hook, exposure_ms=10.0, buffer_mb=64)
    assert "Sequence buffer overflow" in str(acquired.error)
    assert 0 < len(acquired.saved) < 100


def test_a_fast_hook_saves_every_frame_as_the_camera_gave_it(tmp_path: Path) -> None:
    acquired = acquire(tmp_path, 40, lambda image, metadata: (image, metadata), size=128)
    assert acquired.error is None
    assert sorted(acquired.saved) == list(range(40))
    assert acquired.saved == acquired.given
    assert len(set(acquired.saved.values())) == 40
