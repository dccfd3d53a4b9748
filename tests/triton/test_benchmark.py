"""The benchmark of serving runs at tiny sizes. No times are asserted here."""

from __future__ import annotations

from benchmarks.serving import NAMES, TINY, measure


def test_every_part_gives_its_rows() -> None:
    heard: list[str] = []
    rows = measure(TINY, NAMES, heard.append)
    names = [row.what for row in rows]
    assert len(set(names)) == len(names)
    for begins in ("there and back", "receipt to result", "2 on their way", "2 at once", "classes: the first class"):
        assert any(name.startswith(begins) for name in names), begins
    assert "one queue" in heard
    assert all("100 % of frames run" in row.ours for row in rows if "at once" in row.what)
