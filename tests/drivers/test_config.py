"""What the hardware refuses, and what is wrong in configurations, is said in one sentence."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.drivers import micromanager
from onscope.drivers.micromanager._config import COMMANDS, check_config
from onscope.runtime import SourceError


@pytest.fixture
def scope() -> Iterator[micromanager.Scope]:
    with micromanager.demo(size=128, buffer_mb=4) as scope:
        yield scope


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda scope: scope.live(camera="Nobody"), "Nobody"),
        (lambda scope: scope.live(exposure_ms=0), "above 0"),
        (lambda scope: scope.live(exposure_ms=float("inf")), "a finite one"),
        (
            lambda scope: next(scope.live(exposure_ms=1e9).frames()),
            "exposes for 10 ms, expected the 1e.09 ms asked for",
        ),
        (lambda scope: scope.live(buffer_mb=0), "found a buffer of 0 MB"),
        (lambda scope: scope.live(buffer_mb=10**12), "found a buffer of 1000000000000 MB"),
        (lambda scope: _next_of_2048_pixels(scope), "memory requirements not adequate"),
        (lambda scope: scope.set("Camera", "Mode", "Nonsense"), "refused a command"),
        (lambda scope: scope.set_roi(-5, 0, 0, 0), "found a ROI of 0x0"),
    ],
)
def test_what_the_hardware_refuses_is_said(scope: micromanager.Scope, call: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        call(scope)


def _next_of_2048_pixels(scope: micromanager.Scope) -> object:
    for side in "XY":
        scope.set("Camera", f"OnCameraCCD{side}Size", 2048)
    return next(scope.live(buffer_mb=1).frames())


GOOD = """Property,Core,Initialize,0
Device,Camera,DemoCamera,DCam
Property,Core,Initialize,1
Property,Core,Camera,Camera
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Propety,Core,Camera,Camera", "found 'Propety' in line 5 of .*broken.cfg.*write 'Property'"),
        ("Device,Camera", "found 2 fields in line 5 of .*broken.cfg, expected at least 4 for Device"),
        ("Device,Other,NoSuchLibrary,Thing", "cannot load .*broken.cfg .*Line 5: Device,Other,NoSuchLibrary,Thing"),
    ],
)
def test_a_broken_configuration_is_named_by_file_and_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "broken.cfg"
    path.write_text(GOOD + line + "\n")
    with pytest.raises(SourceError, match=message):
        micromanager.open(path, buffer_mb=8)
    path.write_text(GOOD)
    with micromanager.open(path, buffer_mb=8) as scope:
        assert scope.stage_um is None
        assert next(scope.live(exposure_ms=1.0).frames(1)).stage_um is None


words = st.sampled_from([*sorted(COMMANDS), ",", "\n", "#", "Core", "1"]) | st.text(max_size=3)


@given(st.lists(words).map("".join))
def test_every_other_text_is_refused_with_its_line(text: str) -> None:
    lines = text.encode("utf-8", errors="replace").decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    wrong = [number for number, line in enumerate(lines, 1) if line.strip() and not _makes_sense(line)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.cfg"
        path.write_bytes(text.encode("utf-8", errors="replace"))
        if wrong:
            with pytest.raises(SourceError, match=f"in line {wrong[0]} of "):
                check_config(path)
        else:
            check_config(path)


def _makes_sense(line: str) -> bool:
    return line.startswith("#") or line.count(",") + 1 >= COMMANDS.get(line.split(",")[0], 10**6)


def test_a_windows_file_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "windows.cfg"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    check_config(path)
    path.write_bytes(b"# M\xfcller's microscope\r\nPropety,a,b\r\n")
    with pytest.raises(SourceError, match="in line 2 of"):
        check_config(path)


def test_without_micro_manager_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pycromanager", "mm_test_adapters"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)  # as if it were not installed
            with pytest.raises(SourceError, match=rf"found no {name}.*pip install 'onscope\[micromanager\]'"):
                micromanager.demo()


def test_a_configuration_without_a_camera(tmp_path: Path) -> None:
    path = tmp_path / "empty.cfg"
    path.write_text("# nothing\n")
    with micromanager.open(path, buffer_mb=8) as scope, pytest.raises(SourceError, match="found no camera"):
        scope.live()


@pytest.mark.real_data
def test_configurations_of_real_microscopes(shared_data: Path) -> None:
    with micromanager.open(shared_data / "mm_cfg" / "pymmcoreplus_local_config.cfg", buffer_mb=8) as scope:
        assert len(list(scope.live(exposure_ms=1.0).frames(1))) == 1
    with pytest.raises(SourceError, match=r"cannot load .*Line 7: Device,/dev/ttyACM0"):
        micromanager.open(shared_data / "mm_cfg" / "shrimpy_Squid_Oryx_Linux.cfg")
