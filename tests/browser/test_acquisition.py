"""The page over a real acquisition: channels, positions and z of the demo camera, run by pymmcore-plus."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onscope.view.server", reason="the server's packages are missing: pip install onscope[view]")

import useq
from mm_test_adapters import device_adapter_path
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Pipeline, Runtime, Stage, keep_newest
from onscope.view import View
from onscope.view.actions import Fresh, Snap
from onscope.view.snapshot import Snapshots
from tests import models

from .conftest import Open
from .looks import PATIENT_S, newer, place, until

SEQUENCE = useq.MDASequence.model_validate(
    {
        "time_plan": {"interval": 0, "loops": 10_000},
        "channels": [{"config": "DAPI", "exposure": 5}, {"config": "FITC", "exposure": 5}],
        "stage_positions": [(0, 0, 0), (100, 0, 0)],
        "z_plan": {"range": 2, "step": 1},
        "axis_order": "tpcz",
    }
)


@contextmanager
def acquiring(folder: Path) -> Iterator[Runtime]:
    """An acquisition that goes on while the block lasts."""
    mmc = CMMCorePlus()
    mmc.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    pipeline = Pipeline([Stage("plus", models.plus_one(folder / "plus", "uint16"))])
    with Runtime(pipeline, worker="thread", admission=keep_newest(2)) as runtime, runtime.attach(mmc):
        thread = threading.Thread(target=mmc.mda.run, args=(SEQUENCE,), daemon=True)
        thread.start()
        try:
            yield runtime
        finally:
            mmc.mda.cancel()
            thread.join(PATIENT_S)
            assert not thread.is_alive()


def test_channel_position_and_z_are_chosen(tmp_path: Path, opened: Open) -> None:
    with acquiring(tmp_path) as runtime:
        snap = Snap(runtime, Fresh(runtime), Snapshots(None))
        with View(runtime, actions={"snapshot": snap}) as view:
            page = opened(view.url)
            page.get_by_label("Channel").wait_for()
            for label in ("Position", "Z"):
                page.get_by_label(label, exact=True).wait_for()
            newer(page)
            until(lambda: page.get_by_label("Z", exact=True).locator("option").count() == 4, "three z")
            names = page.get_by_label("Channel").locator("option")
            until(lambda: names.all_text_contents() == ["newest", "DAPI", "FITC"], "the channels' names")
            page.get_by_label("Channel").select_option(label="FITC")
            page.get_by_label("Position").select_option("1")
            page.get_by_label("Z", exact=True).select_option("2")
            wanted = {"FITC", "p 1", "z 2"}
            until(lambda: wanted <= set(place(page)), "what was under way")
            for _ in range(3):
                newer(page)
                assert wanted <= set(place(page))
            page.get_by_label("Channel").select_option(label="newest")
            until(lambda: place(page)[0] == "DAPI", "the one channel")
            until(lambda: place(page)[0] == "FITC", "the other one")
            page.get_by_label("Channel").select_option(label="DAPI")
            page.get_by_role("button", name="Snapshot").click()
            page.locator(".toast", has_text="Snapshot of frame").wait_for()  # of the place that is looked at


def test_contrast_is_of_each_channel(tmp_path: Path, opened: Open) -> None:
    with acquiring(tmp_path) as runtime, View(runtime) as view:
        page = opened(view.url)
        page.get_by_label("Channel").select_option(label="DAPI")
        newer(page)
        high = page.get_by_label("high of raw, in counts")
        high.fill("60001")
        high.press("Enter")
        until(lambda: counts(page) == 60001, "a contrast")
        page.get_by_label("Channel").select_option(label="FITC")
        until(lambda: counts(page) not in (0, 60001), "another contrast")
        page.get_by_label("Channel").select_option(label="DAPI")
        until(lambda: counts(page) == 60001, "the contrast of before")


def counts(page: Any) -> int:
    """What is drawn white in raw."""
    digits = [each for each in page.get_by_label("high of raw, in counts").input_value() if each.isdigit()]
    return int("".join(digits) or 0)
