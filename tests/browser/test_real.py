"""The page over real runs: Micro-Manager's demo camera, and a microscope with a specimen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onscope.view.server", reason="the server's packages are missing: pip install onscope[view]")

from onscope.drivers import micromanager, specimen
from onscope.runtime import Measure, Pipeline, Runtime, Stage, Track
from onscope.view import View
from tests import models

from .conftest import Open
from .looks import PATIENT_S, live, newer, pixels, seq, until


@contextmanager
def running(runtime: Runtime, source: Any) -> Iterator[None]:
    """Take frames and results in a thread while the block lasts."""
    over = threading.Event()

    def take() -> None:
        for _ in runtime.stream(source):
            if over.is_set():
                break

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENT_S)
        assert not thread.is_alive()


@contextmanager
def demo(folder: Path, **options: Any) -> Iterator[tuple[Runtime, Any]]:
    """The demo camera, and networks that add one and find the brightest pixels."""
    pipeline = Pipeline(
        [Stage("plus", models.plus_one(folder / "plus", "uint16")), Stage("found", models.brightest(folder / "found"))]
    )
    with micromanager.demo() as scope, Runtime(pipeline, worker="thread", **options) as runtime:
        source = scope.live(exposure_ms=20)
        runtime.prepare(source.spec())
        yield runtime, source


def test_the_demo_camera_is_seen(tmp_path: Path, opened: Open) -> None:
    with demo(tmp_path) as (runtime, source), View(runtime, spec=source.spec()) as view, running(runtime, source):
        page = opened(view.url)
        live(page)
        until(lambda: page.locator(".pane").count() == 2, "two pictures")
        newer(page)
        until(lambda: float(page.locator(".rate b").nth(1).text_content().replace("–", "0")) > 0, "a rate")
        assert page.locator("#actions button").count() == 0


def test_actions_reach_the_run_and_a_restart_is_survived(tmp_path: Path, opened: Open) -> None:
    done: list[str] = []

    def note(name: str) -> Any:
        def act(fields: dict[str, Any]) -> dict[str, Any]:
            done.append(name)
            return {"words": f"{name} by hand"}

        return act

    with demo(tmp_path) as (runtime, source), running(runtime, source):
        options = {"spec": source.spec(), "actions": {"pause": note("pause"), "resume": note("resume")}}
        with View(runtime, **options) as view:
            port = view.port
            page = opened(view.url)
            live(page)
            page.get_by_role("button", name="Pause").click()
            page.locator(".toast", has_text="pause by hand").wait_for()
            page.keyboard.press("2")
            newer(page)
        until(lambda: page.locator("#link").text_content() != "live", "the end of the first view")
        last = seq(page)
        with View(runtime, port=port, **options):
            newer(page, last)
            assert page.locator(".pane").count() == 1
    assert done == ["pause"]


def test_ten_pages_look_at_one_run(tmp_path: Path, opened: Open) -> None:
    with demo(tmp_path) as (runtime, source), View(runtime, spec=source.spec()) as view, running(runtime, source):
        pages = [opened(view.url, 640, 480) for _ in range(10)]
        for page in pages:
            live(page)
        at = [seq(page) for page in pages]
        for page, before in zip(pages, at, strict=True):
            newer(page, before)


def test_nuclei_of_a_specimen_are_outlined_and_followed(opened: Open) -> None:
    pipeline = Pipeline(
        [
            Stage("nuclei", "zoo/nuclei-cells"),
            Measure("cells", of="nuclei", intensity=["frame"]),
            Track("tracks", of="cells", max_distance_um=8),
        ]
    )
    with specimen.source("dividing-cells", size=512) as source, Runtime(pipeline) as runtime:
        runtime.prepare(source.spec())
        with View(runtime, spec=source.spec()) as view, running(runtime, source):
            page = opened(view.url)
            live(page)
            until(lambda: page.locator(".pane").count() == 2, "raw and labels")
            layer = page.get_by_role("switch", name="outlines").first
            layer.wait_for()
            before = pixels(page)
            until(lambda: pixels(page) != before, "another picture")
            drawn = page.locator(".pane .over").first
            painted = (
                "node => node.getContext('2d').getImageData(0, 0, node.width, node.height).data.some(one => one > 0)"
            )
            until(lambda: drawn.evaluate(painted), "outlines")
            assert "µm" in page.locator(".scalebar").first.text_content()
