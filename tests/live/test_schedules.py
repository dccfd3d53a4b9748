"""Random fault schedules: the ledger adds up, the order holds, and what was recorded is what the camera gave."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from onscope.runtime import Pipeline, Stage
from tests import models

from .schedules import Schedule, carry_out, schedules

QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline([Stage("plus", models.plus_one(tmp_path_factory.mktemp("schedules") / "plus"))])


def run(schedule: Schedule, pipeline: Pipeline) -> None:
    with tempfile.TemporaryDirectory() as folder:
        carry_out(schedule, pipeline, Path(folder))


@pytest.mark.long
@settings(max_examples=10, deadline=None, suppress_health_check=QUIET)
@given(schedule=schedules())
def test_random_schedules(pipeline: Pipeline, schedule: Schedule) -> None:
    run(schedule, pipeline)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, suppress_health_check=QUIET)
@given(schedule=schedules())
def test_a_thousand_random_schedules(pipeline: Pipeline, schedule: Schedule) -> None:
    run(schedule, pipeline)
