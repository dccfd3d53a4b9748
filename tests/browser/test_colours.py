"""Colours of the page: those of snapshots, and two pictures in one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from onscope.view.snapshot import COLOURS, coloured

from .conftest import Open
from .looks import pixels, seq, until
from .standin import Standin, serving


@pytest.fixture
def run() -> Iterator[Standin]:
    with serving() as made:
        made.held = made.began + 1  # one frame that stays
        yield made


def test_the_maps_are_those_of_snapshots(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    assert page.evaluate("() => import('/js/luts.js').then(luts => luts.MAPS)") == list(COLOURS)
    every = np.arange(256, dtype=np.uint8)[None]
    for name in COLOURS:
        for gamma in (0.5, 1.0, 2.0):
            table = page.evaluate(
                """([name, gamma]) => import("/js/luts.js").then(
                    luts => [...luts.table(name, gamma, [0, 255], [0, 255])]
                )""",
                [name, gamma],
            )
            rgba = np.array(table, np.uint32).view(np.uint8).reshape(256, 4)
            assert (rgba[:, 3] == 255).all()
            assert np.abs(rgba[:, :3].astype(int) - coloured(every, name, 0, 255, gamma=gamma)[0]).max() <= 1


def test_what_was_drawn_for_other_counts_is_drawn_anew(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    table = page.evaluate(
        "() => import('/js/luts.js').then(luts => [...luts.table('grey', 1, [100, 355], [200, 300])])"
    )
    grey = np.array(table, np.uint32).view(np.uint8).reshape(256, 4)[:, 0]
    assert (grey[:101] == 0).all()
    assert (grey[200:] == 255).all()
    assert abs(int(grey[150]) - 127) <= 1


def test_an_overlay_is_mixed_or_added(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    until(lambda: seq(page) >= 0, "a frame")
    page.keyboard.press("3")
    until(lambda: page.locator(".pane").count() == 1, "one pane")
    until(lambda: len(run.asked("show")[-1]["views"]) == 2, "two images")
    share, blend = page.get_by_label("share of the picture above"), page.get_by_label("how they are blended")
    page.wait_for_timeout(500)
    seen: dict[str, str] = {}
    for way in ("add", "mix"):
        blend.select_option(way)
        for key in ("Home", "End", "ArrowLeft"):
            share.press(key)
            if key == "ArrowLeft":
                for _ in range(49):
                    share.press(key)
            page.wait_for_timeout(200)
            seen[f"{way} {key}"] = pixels(page)
    assert seen["add Home"] == seen["mix Home"]  # the one below alone
    assert len({seen["add Home"], seen["add End"], seen["add ArrowLeft"], seen["mix ArrowLeft"]}) == 4
