"""napari's viewer for the tests: the real one, offscreen.

Where there is no OpenGL (no display, not even a virtual one) its model of layers stands alone, without a window: all
that onscope does is done to that model, and the tests that need the window say why they are skipped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import onscope.view

MANIFEST = Path(onscope.view.__file__).with_name("napari") / "napari.yaml"
WAIT_S = 60.0
MISSING = "napari is not installed: `make test-napari` installs it and runs these tests"


@pytest.fixture(scope="session")
def application() -> Any:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    pytest.importorskip("napari", reason=MISSING)
    from napari.qt import get_qapp

    return get_qapp()


@pytest.fixture(scope="session")
def has_window(application: Any) -> bool:
    """Whether napari can draw here."""
    from napari._vispy.utils.gl import get_gl_extensions

    try:
        return bool(get_gl_extensions())
    except Exception:
        return False


@pytest.fixture(scope="module")
def one_viewer(application: Any, has_window: bool) -> Iterator[Any]:
    import napari
    from napari.components import ViewerModel

    if not has_window:
        yield ViewerModel()
        return
    viewer = napari.Viewer(show=False)
    yield viewer
    viewer.close()


@pytest.fixture
def viewer(one_viewer: Any) -> Iterator[Any]:
    """A viewer without layers."""
    yield one_viewer
    one_viewer.layers.clear()


@pytest.fixture(scope="session")
def plugin() -> None:
    """Has napari know of onscope, also in an environment that was made before onscope was a plug-in."""
    npe2 = pytest.importorskip("npe2", reason=MISSING)
    manager = npe2.PluginManager.instance()
    manager.discover()
    if "onscope" not in manager:
        manager.register(npe2.PluginManifest.from_file(MANIFEST))


@pytest.fixture
def until(application: Any) -> Callable[[Callable[[], Any]], Any]:
    """Lets Qt work until something is true, and gives it back."""

    def wait(true: Callable[[], Any]) -> Any:
        end = time.monotonic() + WAIT_S
        while not (found := true()):
            assert time.monotonic() < end, "it never came"
            application.processEvents()
            time.sleep(0.005)
        return found

    return wait
