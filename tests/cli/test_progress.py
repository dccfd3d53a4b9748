"""A bar in a terminal, and what stands in for it where the output goes into a file."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from onscope.cli._progress import Bar


def test_a_line_now_and_then_where_no_bar_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    out, now_s = io.StringIO(), [100.0]
    monkeypatch.setattr("onscope.cli._progress.time.monotonic", lambda: now_s[0])
    with Bar(Console(file=out)) as bar:
        for second in range(100):
            now_s[0] = 100.0 + second
            bar.tell("minutes", second, 300 if second < 80 else 0)
    assert out.getvalue().splitlines() == ["minutes: 30 of 300", "minutes: 60 of 300", "minutes: 90"]


def test_a_bar_in_a_terminal() -> None:
    out = io.StringIO()
    with Bar(Console(file=out, force_terminal=True, width=80)) as bar:
        bar.tell("minutes", 150, 300)
    assert "150/300" in out.getvalue()
