"""`onscope models`: what is there, what was measured of it, and what is wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from onscope.cli._app import app
from onscope.export.zoo import PACKAGES
from onscope.export.zoo.models import listed, shipped_folders
from onscope.export.zoo.systems import CARD, Card
from onscope.runtime import PackageError

run = CliRunner().invoke


def of(folder: Path) -> list[object]:
    return list(listed([("", folder)]))


def test_all_shipped_packages_are_listed_with_licence_and_citation() -> None:
    text = run(app, ["models"]).stdout
    for folder in sorted(PACKAGES.iterdir()):
        assert f"zoo/{folder.name} " in text
    assert text.count("BSD-3-Clause") >= len(list(PACKAGES.iterdir()))
    assert "Nature Methods 15, 1090 (2018)" in text


def test_the_shipped_folder_is_the_zoo() -> None:
    assert ("zoo", PACKAGES) in list(shipped_folders())


def test_one_is_told_whole_and_programs_get_json() -> None:
    text = run(app, ["models", "zoo/srcnn-cells"]).stdout
    card = Card.load(PACKAGES / "srcnn-cells" / CARD)
    assert f"{card.parameters:,}" in text
    assert all(score.samples in text for score in card.scores)
    (told,) = json.loads(run(app, ["models", "zoo/srcnn-cells", "--json"]).stdout)
    assert told["cost"]["p50_ms"] == card.cost.p50_ms
    assert len(told["scores"]) == len(card.scores)
    assert told["licence"] == "BSD-3-Clause"


def test_only_one_job_is_listed_where_it_is_asked_for() -> None:
    text = run(app, ["models", "--job", "super-resolve"]).stdout
    assert "zoo/srcnn-cells" in text
    assert "zoo/nuclei-cells" not in text


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    found = run(app, ["models", "zoo/nothing"])
    assert found.exit_code == 1
    assert "found no model zoo/nothing, expected one of" in found.stderr
    assert "zoo/srcnn-cells" in found.stderr


def test_a_card_of_other_weights_counts_for_nothing(tmp_path: Path) -> None:
    shutil.copytree(PACKAGES / "srcnn-cells", tmp_path / "mine")
    card = json.loads((tmp_path / "mine" / CARD).read_text(encoding="utf-8"))
    (tmp_path / "mine" / CARD).write_text(json.dumps({**card, "weights_sha256": "0" * 64}), encoding="utf-8")
    text = run(app, ["models", "--in", str(tmp_path)]).stdout
    assert "was measured with other weights" in text


@pytest.mark.parametrize("broken", ["", "name: x\n"])
def test_a_folder_that_is_no_package_is_told_and_the_others_are_listed(broken: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGES / "care-beads", tmp_path / "good")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "rdf.yaml").write_text(broken, encoding="utf-8")
    first, second = of(tmp_path)
    assert isinstance(first, PackageError)
    assert getattr(second, "name", "") == str(tmp_path / "good")
