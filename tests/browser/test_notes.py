"""What is told pops up when it happens, and waits in the list when it happened before."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, try_now, until
from .standin import serving

SHADOW = {"kind": "shadow mode", "words": "NOTHING is carried out", "bad": True, "at": 1.7e9}


def test_what_was_before_waits_in_the_list(opened: Open) -> None:
    with serving(before=[SHADOW]) as run:
        page = opened(run.url)
        live(page)
        badge = page.get_by_role("tab", name="Run").locator(".badge")
        badge.wait_for()
        assert page.locator(".toast").count() == 0
        page.get_by_role("tab", name="Run").click()
        page.locator(".log li", has_text="NOTHING is carried out").wait_for()
        assert badge.is_hidden()
    until(lambda: page.locator("#link").text_content() != "live", "the end")
    with serving(run.port, before=[SHADOW, {**SHADOW, "words": "a lamp is out", "at": 1.8e9}]):
        try_now(page)
        live(page)
        page.locator(".log li", has_text="a lamp is out").wait_for()
        assert page.locator(".log li", has_text="NOTHING is carried out").count() == 1  # told twice, one event
        assert page.locator(".toast").count() == 0


def test_what_happens_now_pops_up_and_covers_no_numbers(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        run.tell(kind="warning", words="the light drifts", bad=True, at=time.time())
        run.tell(kind="worker gone", words="the network's process ended", bad=True, at=time.time())
        warning = page.locator(".toast", has_text="the light drifts")
        error = page.locator(".toast", has_text="the network's process ended")
        warning.wait_for()
        error.wait_for()
        box = page.locator("#toasts").bounding_box()
        for other in ("#strip", "#side", "#top", "#tools"):
            there = page.locator(other).bounding_box()
            apart = (
                box["x"] >= there["x"] + there["width"]
                or there["x"] >= box["x"] + box["width"]
                or box["y"] >= there["y"] + there["height"]
                or there["y"] >= box["y"] + box["height"]
            )
            assert apart, other
        warning.wait_for(state="detached")
        assert error.is_visible()  # it is an error: it waits
        error.get_by_role("button", name="dismiss").click()
        page.get_by_role("tab", name="Run").click()
        page.locator(".log li", has_text="the light drifts").wait_for()
