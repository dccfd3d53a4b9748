"""Every engine against the same suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.runtime import ProviderError
from onscope.runtime.engines import open_session
from tests import models

from .engine_tests import EngineTests


class TestCpu(EngineTests):
    provider = "cpu"


class TestOracle(EngineTests):
    provider = "oracle"


class TestNull(EngineTests):
    provider = "null:1"


def test_auto_says_what_it_took(folder: Path) -> None:
    assert open_session(models.plus_one(folder / "plus").weights).provider == "cpu"


def test_an_engine_that_is_not_there_is_not_replaced(folder: Path) -> None:
    with pytest.raises(ProviderError, match="no engine named 'tensorrt', expected one of cpu, null, oracle"):
        open_session(models.plus_one(folder / "plus").weights, "tensorrt")
