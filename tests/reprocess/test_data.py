"""Lazy arrays: what is stored, and what is computed when it is looked at, are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Gather, Pipeline, PipelineError, RecordError, Stage
from onscope.runtime.record import open_recording
from onscope.runtime.reprocess import open_data, reprocess
from tests import models
from tests.live.test_window_answers import SPEC as SMALL
from tests.live.test_window_answers import adding, weighted

from .made import record
from .test_same import small


@pytest.mark.long
def test_stored_and_computed_on_demand(tmp_path: Path, client: Any) -> None:
    pipeline = models.pipeline(tmp_path)
    record(tmp_path / "live", pipeline, [models.frame(n, index={"t": n}) for n in range(9)], models.SPEC)
    reprocess(tmp_path / "live", pipeline, tmp_path / "out", cluster=client, provider="cpu")
    stored, lazy = open_data(tmp_path / "out"), open_data(tmp_path / "live", pipeline, provider="cpu")
    assert list(stored) == list(lazy) == ["plus", "double"]
    for stage in lazy:
        assert lazy[stage].shape == stored[stage].shape
        assert lazy[stage].dtype == stored[stage].dtype
        assert lazy.axes(stage) == stored.axes(stage) == "tyx"
        np.testing.assert_array_equal(lazy[stage].compute(), stored[stage].compute())
    assert lazy["plus"].numblocks == (9, 1, 1)
    (live,) = open_recording(tmp_path / "live")["double"]
    np.testing.assert_array_equal(lazy["double"][4, 3:9, ::2].compute(), live[4][3:9, ::2])
    for cut in (np.s_[-1], np.s_[::-2, 5], np.s_[1:8:3, ::-1, 2:9:4], np.s_[3:3]):
        np.testing.assert_array_equal(stored["plus"][cut].compute(), stored["plus"].compute()[cut])
        np.testing.assert_array_equal(lazy["plus"][cut].compute(), stored["plus"].compute()[cut])
    later = client.compute(lazy["double"][5:7])  # in other processes
    np.testing.assert_array_equal(later.result(), stored["double"][5:7].compute())
    with pytest.raises(RecordError, match="expected one of plus, double"):
        stored["found"]


def test_axes_and_elements_without_an_answer(tmp_path: Path, client: Any) -> None:
    """Pass: stacks at channels, of which some are not there, are laid out as they are stored; NaN where nothing is."""
    pipeline = Pipeline([Stage("net", weighted(tmp_path / "net"), channel=1)], Gather(3, "z", every=1))
    places = [{"t": t, "c": c, "z": z} for t in range(3) for c in range(2) for z in range(4)]
    record(tmp_path / "live", pipeline, small(places, lost=(6,)), SMALL)
    reprocess(tmp_path / "live", pipeline, tmp_path / "out", cluster=client, provider="cpu", chunk=2)
    stored, lazy = open_data(tmp_path / "out"), open_data(tmp_path / "live", pipeline, provider="cpu", block=2)
    assert lazy.axes("net") == stored.axes("net") == "tczyx"
    assert lazy["net"].shape == stored["net"].shape == (3, 2, 4, 16, 24)
    np.testing.assert_array_equal(lazy["net"].compute(), stored["net"].compute())
    assert np.isnan(stored["net"][:, 0].compute()).all()


def test_what_depends_on_other_windows_is_not_computed_by_itself(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("net", adding(tmp_path / "net"))])
    record(tmp_path / "live", pipeline, small([{"t": n} for n in range(3)]), SMALL)
    with pytest.raises(PipelineError, match="net remembers the windows before"):
        open_data(tmp_path / "live", pipeline, provider="cpu")
