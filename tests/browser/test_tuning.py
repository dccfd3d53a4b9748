"""Numbers that are changed while the run goes on: few of them are sent, and what others set is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, until
from .standin import Standin, serving


@pytest.fixture
def run() -> Iterator[Standin]:
    with serving() as made:
        free = {"of": "tracks", "name": "gap", "value": 2.0, "least": 0.0, "most": None, "meaning": ""}
        made.layout["settings"].append(free)
        yield made


def tuning(run: Standin, opened: Open) -> Any:
    page = opened(run.url)
    live(page)
    page.get_by_role("tab", name="Tune").click()
    return page


def values(run: Standin) -> list[float]:
    return [each["value"] for each in run.asked("do") if each["action"] == "tune"]


def test_a_drag_sends_few_values_and_its_last_one(run: Standin, opened: Open) -> None:
    page = tuning(run, opened)
    slider = page.get_by_role("slider", name="nuclei threshold")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.evaluate("window.began = performance.now()")
    for step in range(41):
        page.mouse.move(box["x"] + box["width"] * (0.2 + step / 80), y)
        page.wait_for_timeout(25)
    took_s = page.evaluate("performance.now() - window.began") / 1000
    page.mouse.up()
    last = float(slider.input_value())
    until(lambda: values(run)[-1:] == [last], "the last value")
    assert len(values(run)) <= took_s + 2
    assert page.get_by_label("nuclei threshold, exactly").input_value() == f"{last:g}"


def test_a_key_that_is_held_sends_few_values(run: Standin, opened: Open) -> None:
    page = tuning(run, opened)
    slider = page.get_by_role("slider", name="nuclei threshold")
    slider.focus()
    for _ in range(20):
        page.keyboard.down("ArrowRight")  # it repeats
    page.keyboard.up("ArrowRight")
    last = float(slider.input_value())
    until(lambda: values(run)[-1:] == [last], "the last value")
    assert len(values(run)) < 10


def test_a_number_without_an_end_has_a_field_alone(run: Standin, opened: Open) -> None:
    page = tuning(run, opened)
    field = page.get_by_label("tracks gap")
    assert field.count() == 1
    assert field.get_attribute("type") == "number"
    page.get_by_text("at least 0").wait_for()
    field.fill("3.5")
    field.press("Enter")
    until(lambda: values(run) == [3.5], "the value")
    field.fill("")
    field.press("Enter")
    until(lambda: field.input_value() == "3.5", "what the run has")
    assert values(run) == [3.5]


def test_what_is_refused_is_taken_back(run: Standin, opened: Open) -> None:
    page = tuning(run, opened)
    field = page.get_by_label("nuclei threshold, exactly")
    field.fill("0.99")
    field.press("Enter")
    page.locator(".said", has_text="refused").wait_for()
    field.blur()
    until(lambda: field.input_value() == "0.5", "what the run has")


def test_what_another_viewer_sets_is_shown(run: Standin, opened: Open) -> None:
    page, other = tuning(run, opened), tuning(run, opened)
    page.get_by_label("rule follow step_um, exactly").fill("12")
    page.keyboard.press("Enter")
    page.get_by_text("from window 18 on").first.wait_for()
    slider = other.get_by_role("slider", name="rule follow step_um")
    until(lambda: slider.input_value() == "12", "the value of the other one")
    assert values(run) == [12]  # what is shown is not sent
