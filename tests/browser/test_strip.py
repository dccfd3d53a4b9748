"""The strip of numbers: what waits and what is worked on, and steps that can be told apart."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live
from .standin import serving


def test_the_queue_tells_what_is_in_work(opened: Open) -> None:
    with serving(status={"queue": {"waiting": 1, "depth": 4, "in_work": 2}}) as run:
        page = opened(run.url)
        live(page)
        queue = page.get_by_role("img", name="1 of 4 places of the queue taken, 2 in work")
        queue.wait_for()
        assert queue.locator("i.on").count() == 1


def test_ten_steps_are_ten_lines(opened: Open) -> None:
    steps = {f"step {number}": {"p50": 1.0 + number, "p95": 2.0 + number} for number in range(10)}
    with serving(status={"steps_ms": steps}) as run:
        page = opened(run.url)
        live(page)
        page.locator(".legend dt", has_text="step 9").wait_for()
        looks = page.locator(".legend dt i").evaluate_all("all => all.map(each => each.style.background)")
        assert len(set(looks)) == 10
