"""The dock widget and a real run with its view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed: `make test-napari` installs it and runs these tests")
pytest.importorskip("starlette", reason="the view's server needs starlette: install onscope[view]")

from onscope.view.napari import LiveView
from tests.view.client.real import real_run


def test_a_real_run_in_napari(
    viewer: Any, tmp_path: Path, until: Callable[[Callable[[], Any]], Any], has_window: bool
) -> None:
    with real_run(tmp_path) as run:
        run.submit()
        widget = LiveView(viewer)
        widget.connect_to_run(run.view.url)
        until(lambda: widget._list.count() == 4)
        for name in ("nuclei", "cells", "tracks"):
            widget.choose(name)

        def shown() -> bool:
            run.submit()
            names = {layer.name for layer in viewer.layers}
            return names == {"raw", "nuclei", "cells", "tracks"} and len(viewer.layers["tracks"].data) >= 6

        until(shown)
        last = run.number - 1
        until(lambda: all(layer.metadata["onscope"]["frame"]["seq"] == last for layer in viewer.layers))
        cells, nuclei = viewer.layers["cells"], viewer.layers["nuclei"]
        places = np.round(cells.data).astype(int)
        assert np.array_equal(nuclei.data[places[:, 0], places[:, 1]], cells.features["label"])
        assert cells.features["area_um2"].max() == pytest.approx(np.pi * 36, rel=0.05)
        tracks = viewer.layers["tracks"].data
        assert set(tracks[:, 0]) == {1, 2}
        until(lambda: "frames/s" in widget._words.text())
        widget.close()
