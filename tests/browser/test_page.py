"""The page by itself: what it asks for, shows and says, over a server that is made up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, newer, pixels, seq, until
from .standin import Standin, serving


@pytest.fixture
def run() -> Iterator[Standin]:
    with serving() as made:
        yield made


def last_views(run: Standin) -> list[dict[str, Any]]:
    shows = run.asked("show")
    return shows[-1]["views"] if shows else []


def asked_for(run: Standin, name: str) -> dict[str, Any]:
    return next((view for view in last_views(run) if view["image"] == name), {})


def test_pictures_come_and_change(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    assert page.locator(".pane").count() == 3
    before = pixels(page)
    newer(page)
    until(lambda: pixels(page) != before, "another picture")


def test_every_image_is_asked_for_no_larger_than_it_is_shown(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    assert [view["image"] for view in last_views(run)] == ["raw", "denoise", "nuclei"]
    box = page.locator(".pane").first.bounding_box()
    assert all(max(view["size"]) <= min(box["width"], box["height"]) + 1 for view in last_views(run))
    assert asked_for(run, "nuclei")["bits"] == 16  # labels are names: 8 bits would merge them


def test_the_wheel_zooms_all_panes_into_a_part(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.locator(".pane").first.hover()
    page.mouse.wheel(0, -1200)
    until(lambda: last_views(run)[0]["rect"] is not None, "a part")
    assert len({str(view["rect"]) for view in last_views(run)}) == 1
    page.keyboard.press("f")
    until(lambda: last_views(run)[0]["rect"] is None, "the whole frame")


def test_panes_that_are_not_linked_zoom_by_themselves(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.keyboard.press("l")
    page.locator(".pane").first.focus()
    for _ in range(5):
        page.keyboard.press("+")
    until(lambda: asked_for(run, "raw")["rect"] is not None, "a part of raw")
    assert asked_for(run, "denoise")["rect"] is None
    assert asked_for(run, "denoise")["vectors"]  # drawn from its own


def test_contrast_is_fixed_by_a_handle_and_given_back_to_auto(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    assert asked_for(run, "raw")["low"] is None
    handle = page.get_by_role("slider", name="high end of the contrast of raw")
    handle.focus()
    handle.press("ArrowLeft")
    until(lambda: asked_for(run, "raw")["high"] is not None, "a contrast")
    assert asked_for(run, "raw")["low"] < asked_for(run, "raw")["high"]
    assert asked_for(run, "denoise")["low"] is None
    page.keyboard.press("a")
    until(lambda: asked_for(run, "raw")["low"] is None, "auto")


def test_colours_and_gamma_change_the_picture_without_asking(run: Standin, opened: Open) -> None:
    run.held = run.began + 1  # one frame that stays
    page = opened(run.url)
    until(lambda: seq(page) >= 0, "a frame")
    shows, grey = len(run.asked("show")), pixels(page)
    page.get_by_label("colours of raw").select_option("inferno")
    until(lambda: pixels(page) != grey, "colours")
    coloured = pixels(page)
    page.get_by_label("gamma of raw").press("Home")
    until(lambda: pixels(page) != coloured, "gamma")
    page.wait_for_timeout(300)
    assert len({str(each["views"]) for each in run.asked("show")[shows - 1 :]}) == 1


@pytest.mark.parametrize(("key", "mode"), [("2", "Swipe"), ("3", "Overlay")])
def test_two_images_in_one_pane(key: str, mode: str, run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.keyboard.press(key)
    until(lambda: page.locator(".pane").count() == 1, "one pane")
    until(lambda: len(last_views(run)) == 2, "two images")
    assert page.get_by_role("radio", name=mode).get_attribute("aria-checked") == "true"
    newer(page)
    before = pixels(page)
    slider = page.get_by_role("slider", name="place of the comparison" if key == "2" else "share of the picture above")
    slider.press("Home")
    until(lambda: pixels(page) != before, "another share")


def test_objects_tell_their_values_and_can_be_switched_off(run: Standin, opened: Open) -> None:
    run.held = run.began + 1
    page = opened(run.url)
    until(lambda: seq(page) >= 0, "a frame")
    from .made import _places

    y, x = _places(run.seq)[3]
    box = page.locator(".pane").first.bounding_box()
    zoom = min(box["width"], box["height"]) / 512
    at = (box["width"] / 2 + (x - 256) * zoom, box["height"] / 2 + (y - 256) * zoom)
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    tip = page.locator(".tip").first
    tip.wait_for()
    assert "104" in tip.text_content()
    assert "µm" in page.locator(".scalebar").first.text_content()
    page.keyboard.press("o")
    until(lambda: not last_views(run)[0]["vectors"], "no vectors")
    page.mouse.move(box["x"] + at[0] + 1, box["y"] + at[1])
    tip.wait_for(state="hidden")


def test_a_channel_is_asked_for_by_its_number(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.get_by_label("Channel").select_option(label="FITC")
    until(lambda: last_views(run)[0]["index"] == {"c": 1}, "the channel")


def test_arming_and_stopping_ask_first(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.get_by_role("button", name="Arm", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    assert not run.asked("do")
    page.get_by_role("button", name="Arm", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Arm").click()
    page.get_by_role("button", name="Armed").wait_for()
    assert run.armed
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Stop the run").click()
    page.get_by_text("The run is over").wait_for()
    assert page.locator("#link").text_content() == "ended"
    page.get_by_role("radio", name="Swipe").click()  # the last pictures can be looked at
    until(lambda: page.locator(".pane").count() == 1, "one pane")
    assert [each["action"] for each in run.asked("do")] == ["arm", "stop"]
    assert page.get_by_role("button", name="Pause").is_disabled()


def test_pause_snapshot_tuning_and_swap(run: Standin, opened: Open) -> None:
    page = opened(run.url)
    live(page)
    page.keyboard.press("p")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Snapshot").click()
    page.get_by_text("Snapshot of frame 17, the next after frame").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "frame-17.png"
    page.get_by_role("tab", name="Tune").click()
    page.get_by_label("nuclei threshold, exactly").fill("0.7")
    page.keyboard.press("Enter")
    page.get_by_text("from window 18 on").first.wait_for()
    page.get_by_label("nuclei threshold, exactly").fill("0.99")
    page.keyboard.press("Enter")
    page.locator(".toast.bad", has_text="ask for a value of these").wait_for()
    page.get_by_label("network of denoise").select_option("care-beads-int8")
    page.get_by_role("button", name="Swap").first.click()
    page.locator("dialog").get_by_role("button", name="Swap").click()
    until(lambda: run.asked("do")[-1]["action"] == "swap", "the swap")
    assert run.asked("do")[-1]["package"] == "care-beads-int8"


def test_what_a_run_cannot_do_is_not_offered(opened: Open) -> None:
    with serving() as run:
        run.layout["actions"] = ["snapshot"]
        page = opened(run.url)
        live(page)
        assert page.locator("#actions button").count() == 1
        assert not page.get_by_role("tab", name="Tune").is_visible()


def test_many_pages_at_once(run: Standin, opened: Open) -> None:
    pages = [opened(run.url, 640, 480) for _ in range(10)]
    for page in pages:
        live(page)
    assert run.viewers == 10
