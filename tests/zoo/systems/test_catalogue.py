"""The catalogue is whole: each system stands in a row, can be made, and what was measured is of what is shipped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from onscope.export.zoo import PACKAGES
from onscope.export.zoo.systems import CARD, MODULES, PICTURE, ROWS, Card, Job, row_of, system
from onscope.runtime import Package

MOST_BYTES, MOST_FOLDER = 2_000_000, 3_500_000
SHIPPED = sorted(key for key in MODULES if (PACKAGES / key).is_dir())


def test_rows_and_systems_are_named_once_and_every_job_has_rows() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
    keys = [key for row in ROWS for key in row.systems]
    assert len(set(keys)) == len(keys)
    assert {row.job for row in ROWS} == set(Job)


@pytest.mark.parametrize("key", sorted(MODULES))
def test_a_system_stands_in_a_row_under_its_own_key(key: str) -> None:
    one = system(key)
    assert one.key == key
    assert key in row_of(key).systems
    assert "{package}" in one.live.pipeline
    assert one.words.cite or "not known" in one.words.limits, "whose work it is must be said"


def test_another_key_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(KeyError, match=r"expected one of .*care-cells"):
        system("nothing-like-it")


def test_the_catalogue_needs_no_torch_until_a_network_is_made() -> None:
    code = (
        "import sys; from onscope.export.zoo.systems import MODULES, system; [system(key) for key in MODULES];"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("key", SHIPPED)
def test_a_shipped_package_has_its_card_and_is_small(key: str) -> None:
    folder = PACKAGES / key
    package, card = Package.load(folder), Card.load(folder / CARD)
    assert (card.system, card.weights_sha256) == (key, package.weights_sha256)
    assert card.works
    assert card.trained
    assert card.scores
    assert package.weights.stat().st_size <= MOST_BYTES
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_FOLDER
    if system(key).measured is not None and (folder / "training.png").exists():
        assert (folder / PICTURE).is_file()
