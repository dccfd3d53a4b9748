"""The client against the view of a real run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("websockets", reason="the view's client needs websockets: install onscope[view]")
pytest.importorskip("starlette", reason="the view's server needs starlette: install onscope[view]")

from onscope.view import ViewError, Wanted
from onscope.view.client import ViewClient
from tests.view.client.real import WAIT_S, real_run


def test_a_real_run_is_seen(tmp_path: Path) -> None:
    with real_run(tmp_path) as run, ViewClient(run.view.url) as client:
        layout = client.wait(WAIT_S)
        run.submit()
        with client._changed:
            client._changed.wait_for(lambda: client.layout is not None and len(client.layout.tables) == 2, WAIT_S)
        layout = client.wait()
        assert {image.name: image.labels for image in layout.images} == {"raw": False, "nuclei": True}
        assert layout.pixel_size_um == 0.5
        client.show([Wanted(0, bits=16, vectors=("spots:cells", "tails:tracks")), Wanted(1, "nuclei", bits=16)])
        run.submit()
        update = client.take(WAIT_S)
        while update is not None and update.frame["seq"] != 1:
            update = client.take(WAIT_S)
        assert update is not None
        cells = update.tables["cells"]
        assert sorted(np.round(cells["x"])) == [22, 60]
        labels = update.pictures[1].pixels
        assert np.array_equal(
            labels[np.round(cells["y"]).astype(int), np.round(cells["x"]).astype(int)], cells["label"]
        )
        spots = next(each for each in update.vectors if each.kind == "spots")
        assert np.allclose(spots.points[:, 0] - 0.5, cells["y"])
        assert len(update.tables["tracks"]["track"]) == 2
        done = client.do("pause", timeout_s=WAIT_S)
        assert (done.ok, done.words) == (True, "paused by the test")
        assert not client.do("arm", timeout_s=WAIT_S).ok


def test_a_real_run_refuses_strangers(tmp_path: Path) -> None:
    with real_run(tmp_path) as run, ViewClient(f"127.0.0.1:{run.view.port}", token="guess") as client:
        with pytest.raises(ViewError, match="no layout"):
            client.wait(WAIT_S)
        assert client.state == "refused"
