"""Sources by name, through the drivers that are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime import Source, SourceError, open_source

from .conftest import FRAMES


def test_a_stack_by_name(stack: Path) -> None:
    with open_source(f"replay:{stack}", fps=None, pixel_size_um=0.1) as source:
        assert isinstance(source, Source)
        assert source.spec().pixel_size_um == 0.1
        assert len(list(source.frames())) == FRAMES


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(SourceError, match="no driver named 'telescope', expected one of"), open_source("telescope:big"):
        pass


def test_an_option_that_the_driver_does_not_know(stack: Path) -> None:
    with (
        pytest.raises(SourceError, match="option 'seed' for the source replay"),
        open_source(f"replay:{stack}", seed=3),
    ):
        pass
