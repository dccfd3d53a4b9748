"""The gallery's page: made of the cards alone, with every row, and as it stands in the repository."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from onscope.export.zoo import PACKAGES
from onscope.export.zoo.gallery import SEEDED, card_of, cards, page
from onscope.export.zoo.gallery._page import works
from onscope.export.zoo.systems import ROWS, Card, Cost, LiveRun, Score

DOCS = Path(__file__).parents[3] / "docs"
CARD = Card(
    system="drcn",
    weights_sha256="0" * 64,
    parameters=1234,
    parity=1e-6,
    trained=False,
    cost=Cost(12.5, 13.0, (512, 512), 1, 15, "cpu", 1, "a machine"),
    live=LiveRun("specimen:spots", 24, 20, 4, 0, 0, 12.0, 14.0),
)
SCORE = Score("cells", "PSNR", "dB", (30.0, 31.0), {"bicubic": (28.0, 28.5)})
DRCN = next(row for row in ROWS if row.key == "drcn")
SRCNN = next(row for row in ROWS if row.key == "srcnn")


def test_every_row_works() -> None:
    found = cards(DOCS)
    assert [row.key for row in ROWS if not works(row, found)] == []


def test_the_page_is_what_the_script_makes_of_the_cards() -> None:
    written = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert written == page(cards(DOCS)), "run python -m onscope.export.zoo.gallery"


def test_the_page_names_every_row_and_system(tmp_path: Path) -> None:
    text = page({}, tmp_path)
    for row in ROWS:
        assert row.title in text
        assert all(f"`{key}`" in text for key in row.systems)
    assert f"0 of {len(ROWS)} rows work" in text


def test_a_row_works_with_seeded_weights_only_where_none_are_asked_for() -> None:
    assert works(DRCN, {"drcn": CARD})
    assert not works(SRCNN, {"srcnn-cells": CARD})
    assert works(SRCNN, {"srcnn-cells": replace(CARD, trained=True, scores=(SCORE,))})
    assert not works(DRCN, {"drcn": replace(CARD, live=replace(CARD.live, failed=1))})
    assert not works(DRCN, {})


def test_the_page_says_which_systems_are_behind_their_baselines(tmp_path: Path) -> None:
    ahead, behind = replace(CARD, trained=True, scores=(SCORE,)), replace(SCORE, network=(1.0, 2.0))
    found = {"srcnn-cells": ahead, "vdsr-cells": replace(ahead, scores=(SCORE, behind))}
    text = page(found, tmp_path)
    assert "in all measures: `srcnn-cells`; **in half of them at most**: `vdsr-cells`." in text
    assert "To work is not to be better" not in page({}, tmp_path)


def test_a_line_tells_the_first_score_and_how_many_are_ahead(tmp_path: Path) -> None:
    behind = replace(SCORE, metric="SSIM", network=(0.1, 0.2), baselines={"bicubic": (0.5, 0.5)})
    text = page({"srcnn-cells": replace(CARD, trained=True, scores=(SCORE, behind))}, tmp_path)
    line = next(line for line in text.splitlines() if line.startswith("| `srcnn-cells`"))
    for words in (
        "PSNR 30.50 ± 0.71 dB (cells)",
        "bicubic 28.25 ± 0.35 dB",
        "1 of 2 measures",
        "1,234",
        "12.5\\* (512x512)",
    ):
        assert words in line


def test_a_card_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / SEEDED).mkdir()
    (tmp_path / SEEDED / "drcn.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="expected what the measurement wrote"):
        card_of("drcn", tmp_path)
    assert card_of("fcn", tmp_path, PACKAGES) is None
