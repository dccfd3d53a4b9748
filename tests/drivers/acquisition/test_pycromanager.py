"""pycro-manager acquisitions steered while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.acquisition import Routine
from tests.drivers.specimens import QUICK

from .acquisition_suite import AcquisitionSuite, Make
from .sessions import ByPycroManager, Fragile


class TestAcquisitionController(AcquisitionSuite):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Iterator[Make]:
        with ExitStack() as stack:

            def made(routine: Routine | None = None, **options: Any) -> ByPycroManager:
                clock = specimen.PatientClock()
                scope = stack.enter_context(specimen.open(Fragile(), hardware=QUICK, buffer_mb=16, clock=clock))
                one = ByPycroManager(scope, tmp_path, routine, **options)
                stack.callback(one.end)
                return one

            yield made
