"""pymmcore-plus acquisitions steered while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.acquisition import Routine
from tests.drivers.specimens import QUICK

from .acquisition_suite import AcquisitionSuite, Make
from .sessions import ByPymmcorePlus, Fragile


class TestMdaController(AcquisitionSuite):
    @pytest.fixture
    def make(self) -> Iterator[Make]:
        with ExitStack() as stack:

            def made(routine: Routine | None = None, **options: Any) -> ByPymmcorePlus:
                clock = specimen.PatientClock()
                scope = stack.enter_context(specimen.open(Fragile(), hardware=QUICK, buffer_mb=16, clock=clock))
                one = ByPymmcorePlus(scope, routine, **options)
                stack.callback(one.end)
                return one

            yield made
