"""Fingers on a tablet: they move, pinch, swipe and ask for values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import seq, until
from .made import _places
from .standin import Standin, serving


@pytest.fixture
def run() -> Iterator[Standin]:
    with serving() as made:
        made.held = made.began + 1  # one frame that stays
        yield made


class Fingers:
    """Touches of a page, as the screen tells them."""

    def __init__(self, page: Any) -> None:
        self._to = page.context.new_cdp_session(page)

    def put(self, *points: tuple[float, float], kind: str = "touchMove") -> None:
        told = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self._to.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    def move(self, *paths: tuple[tuple[float, float], tuple[float, float]], steps: int = 8) -> None:
        """Each finger goes from its first place to its second."""
        self.put(*(path[0] for path in paths), kind="touchStart")
        for step in range(1, steps + 1):
            self.put(*((a[0] + (b[0] - a[0]) * step / steps, a[1] + (b[1] - a[1]) * step / steps) for a, b in paths))
        self.put(kind="touchEnd")


def tablet(run: Standin, opened: Open) -> tuple[Any, Fingers, dict[str, float]]:
    """The page on a tablet, its fingers, and where its first pane is."""
    page = opened(run.url, 820, 1180, has_touch=True)
    until(lambda: seq(page) >= 0, "a frame")
    return page, Fingers(page), page.locator(".pane").first.bounding_box()


def part(run: Standin) -> list[int]:
    """The part of raw that is asked for."""
    rect = run.asked("show")[-1]["views"][0]["rect"]
    return [0, 0, 512, 512] if rect is None else list(rect)


def test_two_fingers_zoom_where_they_are(run: Standin, opened: Open) -> None:
    page, fingers, box = tablet(run, opened)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    percent = page.locator(".percent").text_content()
    fingers.move(((x - 20, y), (x - 110, y)), ((x + 20, y), (x + 110, y)))
    until(lambda: part(run)[2] - part(run)[0] < 300, "a part")
    rect = part(run)
    assert abs((rect[0] + rect[2]) / 2 - 256) < 12  # the middle stays there
    assert abs((rect[1] + rect[3]) / 2 - 256) < 12
    assert page.locator(".percent").text_content() != percent
    fingers.move(((x - 110, y), (x - 15, y)), ((x + 110, y), (x + 15, y)))
    until(lambda: part(run) == [0, 0, 512, 512], "all of it")


def test_one_finger_moves_the_picture(run: Standin, opened: Open) -> None:
    page, fingers, box = tablet(run, opened)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for _ in range(5):
        page.get_by_role("button", name="Larger").click()
    until(lambda: part(run)[3] < 512, "a part")
    before = part(run)
    fingers.move(((x + 60, y + 60), (x - 60, y - 60)))
    until(lambda: part(run)[0] > before[0] and part(run)[1] > before[1], "another part")
    assert page.locator(".tip").first.is_hidden()


def test_a_tap_tells_an_objects_values_and_marks_it(run: Standin, opened: Open) -> None:
    page, fingers, box = tablet(run, opened)
    y, x = _places(run.seq)[3]
    zoom = min(box["width"], box["height"]) / 512
    at = box["x"] + box["width"] / 2 + (x - 256) * zoom, box["y"] + box["height"] / 2 + (y - 256) * zoom
    fingers.put(at, kind="touchStart")
    fingers.put(kind="touchEnd")
    tip = page.locator(".tip").first
    tip.wait_for()
    assert "track104" in tip.text_content()
    page.wait_for_timeout(300)
    assert tip.is_visible()  # a finger that is gone does not take it away


def test_a_finger_moves_the_swipe_line(run: Standin, opened: Open) -> None:
    page, fingers, _ = tablet(run, opened)
    page.get_by_role("radio", name="Swipe").click()
    line = page.get_by_role("slider", name="place of the comparison")
    box = line.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shows = len(run.asked("show"))
    fingers.move(((x, y), (x - 200, y)))
    until(lambda: int(line.get_attribute("aria-valuenow")) < 35, "the line")
    shown = [view for each in run.asked("show")[shows - 1 :] for view in each["views"]]
    assert len({str(view["rect"]) for view in shown}) == 1  # the picture stays
