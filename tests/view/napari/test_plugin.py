"""onscope as npe2 and napari see it: the manifest, the reader, the widget in a window."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("napari", reason="napari is not installed: `make test-napari` installs it and runs these tests")

from onscope.view.napari._binding import warning_of
from tests.view.client.standin import StandIn, standin
from tests.view.napari.conftest import MANIFEST

Until = Callable[[Callable[[], Any]], Any]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standin() as made:
        yield made


def test_npe2_finds_nothing_wrong_with_the_manifest() -> None:
    from npe2 import PluginManifest

    manifest = PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == "onscope"
    assert [each.display_name for each in manifest.contributions.widgets or []] == ["Live view"]
    (reader,) = manifest.contributions.readers or []
    assert reader.accepts_directories
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["napari.manifest"] == {"onscope": "onscope.view.napari:napari.yaml"}


def test_what_only_reads_needs_no_qt() -> None:
    code = (
        "import sys, onscope.view.napari\n"
        "print([name for name in ('qtpy', 'napari', 'websockets', 'dask') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_where_qt_is_missing_it_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('PySide6', 'PyQt6', 'PySide2', 'PyQt5'))\n"
        "from onscope.view import ViewError\n"
        "try:\n    from onscope.view.napari import LiveView\n"
        "except ViewError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("found no Qt for napari")
    assert "pip install" in done.stdout


@pytest.mark.parametrize(
    ("binding", "version", "python", "told"),
    [
        ("PySide6", "6.12.0", (3, 11), True),
        ("PySide6", "6.12.0", (3, 12), False),
        ("PySide6", "6.11.3", (3, 11), False),
        ("PyQt6", "6.12.0", (3, 11), False),
    ],
)
def test_a_qt_that_ends_napari_is_told(binding: str, version: str, python: tuple[int, int], told: bool) -> None:
    assert warning_of(binding, version, python).startswith("found PySide6 6.12.0 with Python 3.11") is told


def test_other_files_are_left_to_others(plugin: None, tmp_path: Path) -> None:
    from npe2 import PluginManager

    def readers(path: Path) -> set[str]:
        return {each.plugin_name for each in PluginManager.instance().iter_compatible_readers([str(path)])}

    for name in ("recording.json", "cells.tif"):
        (tmp_path / name).write_bytes(b"")
    assert "onscope" in readers(tmp_path)
    assert "onscope" in readers(tmp_path / "recording.json")
    assert "onscope" not in readers(tmp_path / "cells.tif")


def test_napari_opens_the_widget(viewer: Any, has_window: bool, plugin: None, server: StandIn, until: Until) -> None:
    if not has_window:
        pytest.skip("napari finds no OpenGL here: run these tests on a display, or under xvfb-run")
    _, widget = viewer.window.add_plugin_dock_widget("onscope", "Live view")
    widget.connect_to_run(server.url)
    until(lambda: "raw" in viewer.layers)
    server.frame = 5
    until(lambda: viewer.layers["raw"].data[0, 0] == 5)
    viewer.window.remove_dock_widget(widget)
    until(lambda: not server._sockets)  # a widget that is closed leaves the run
