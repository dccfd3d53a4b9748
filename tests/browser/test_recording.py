"""The page over a recording: chosen frames, played at a pace, snapshots of what is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("onscope.view.server", reason="the server's packages are missing: pip install onscope[view]")

from onscope.runtime import Frame, FrameId, Runtime, block
from onscope.view import View
from onscope.view.actions import Fresh, Snap
from onscope.view.recorded import Player, Recorded, open_played, playing
from onscope.view.snapshot import Snapshots
from tests import models

from .conftest import Open
from .looks import pixels, seq, until

FRAMES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of noise, so that no two frames look the same."""
    made = tmp_path_factory.mktemp("recording")
    rng = np.random.default_rng(0)
    with Runtime(models.pipeline(made), worker="thread", admission=block(2), record=made / "run") as runtime:
        runtime.prepare(models.SPEC)
        for number in range(FRAMES):
            noise = rng.integers(0, 1010, models.SPEC.shape, dtype=np.uint16)
            runtime.submit(Frame(FrameId("run", "cam", 0, number), noise, "yx", {"t": number}))
        assert runtime.drain(60)
    return made / "run"


@contextmanager
def shown(folder: Path) -> Iterator[str]:
    """The address of a view of it, as `onscope view` makes it."""
    played = open_played(folder)
    assert isinstance(played, Recorded)
    with Player(played, played.run.folder) as player:
        runtime = cast(Runtime, player)
        snap = Snap(player, Fresh(player), Snapshots(None))
        with View(
            runtime,
            actions={**playing(player), "snapshot": snap},
            status=player.status,
            live=False,
            frames=len(player),
        ) as view:
            yield view.url


def at(page: Any) -> str:
    return str(page.locator("#player output").text_content())


def test_frames_are_chosen_and_played(folder: Path, opened: Open) -> None:
    with shown(folder) as url:
        page = opened(url)
        until(lambda: seq(page) == 0, "the first frame")
        assert page.locator("#link").text_content() == "recording"
        assert at(page) == f"1 of {FRAMES}"
        first = pixels(page)
        bar = page.get_by_role("slider", name="frame of the recording")
        bar.focus()
        bar.press("ArrowRight")
        until(lambda: seq(page) == 1, "the next frame")
        until(lambda: pixels(page) != first, "another picture")
        box = bar.bounding_box()
        page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
        until(lambda: seq(page) == FRAMES - 1, "the last frame")
        until(lambda: at(page) == f"{FRAMES} of {FRAMES}", "its number")
        bar.press("Home")
        until(lambda: seq(page) == 0, "the first frame again")
        until(lambda: pixels(page) == first, "the same picture")
        page.get_by_label("speed").select_option("5")
        page.get_by_role("button", name="play the recording").click()
        page.get_by_role("button", name="stay at this frame").wait_for()
        until(lambda: seq(page) >= 3, "the frames after it")
        page.get_by_role("button", name="stay at this frame").click()
        page.get_by_role("button", name="play the recording").wait_for()
        stays = seq(page)
        page.get_by_label("speed").select_option("30")
        page.get_by_role("button", name="play the recording").click()
        until(lambda: seq(page) == FRAMES - 1, "the end")
        page.get_by_role("button", name="play the recording").wait_for()  # it stays there by itself
        assert 3 <= stays < FRAMES


def test_a_snapshot_is_of_the_frame_that_is_shown(folder: Path, opened: Open) -> None:
    with shown(folder) as url:
        page = opened(url)
        until(lambda: seq(page) == 0, "the first frame")
        page.get_by_role("slider", name="frame of the recording").press("PageUp")
        until(lambda: seq(page) > 0, "another frame")
        number = seq(page)
        page.keyboard.press("s")
        page.get_by_text(f"Snapshot of frame {number}:").wait_for()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download").click()
        assert f"-{number:06d}-" in download.value.suggested_filename


def test_what_only_a_run_has_is_not_there(folder: Path, opened: Open) -> None:
    with shown(folder) as url:
        page = opened(url)
        until(lambda: seq(page) == 0, "the first frame")
        names = page.locator("#actions button").evaluate_all("nodes => nodes.map(node => node.ariaLabel)")
        assert names == ["Snapshot"]
        until(lambda: page.locator(".part.rates").is_hidden(), "the first status")
        assert page.locator("#link").bounding_box()["width"] < 200
        assert page.locator(".pips").is_hidden()
        assert "ms old" not in page.locator("#frame").text_content()
