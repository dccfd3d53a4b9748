"""CDeep3M on one section and on stacks: sizes, and exports that are equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.export.zoo.networks.segment import CDeep3M

from ..proof import parameters, proven, seeded, shape_of

SETTINGS = {"decode": "classes", "classes": ["background", "membrane"]}


def test_parameters() -> None:
    """No publication states a count; more sections have larger kernels in the two first convolutions alone."""
    assert parameters(lambda: CDeep3M(3)) - parameters(lambda: CDeep3M(1)) == 9 * (2 * 32 + 1 * 32 * 64)
    assert parameters(lambda: CDeep3M(5)) - parameters(lambda: CDeep3M(3)) == 9 * 32 * 64


@pytest.mark.parametrize("sections", [3, 5])
def test_the_middle_section_is_answered(sections: int) -> None:
    assert shape_of(CDeep3M(sections, 3, width=1 / 32), (2, 1, sections, 32, 48)) == (2, 3, 32, 48)


def test_other_numbers_of_sections_are_refused() -> None:
    with pytest.raises(ValueError, match="found 4 sections, expected 1, 3 or 5"):
        CDeep3M(4)


@pytest.mark.slow
def test_parity_of_one_section(tmp_path: Path) -> None:
    network = seeded(lambda: CDeep3M(width=1 / 32), (2, 1, 48, 48))
    shapes = [(1, 1, 48, 16), (2, 1, 16, 32)]
    proven(network, tmp_path / "package", (1, 1, 32, 48), shapes, minimum=16, step=16, settings=SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("sections", [3, 5])
def test_parity_of_a_stack(tmp_path: Path, sections: int) -> None:
    network = seeded(lambda: CDeep3M(sections, width=1 / 32), (2, 1, sections, 48, 48))
    shapes = [(1, 1, sections, 48, 16), (2, 1, sections, 16, 32)]
    proven(
        network, tmp_path / "package", (1, 1, sections, 32, 48), shapes, minimum=16, step=16, axes="bczyx",
        output_axes=("bcyx",), settings=SETTINGS,
    )  # fmt: skip
