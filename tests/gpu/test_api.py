"""The stand-in of cuda-bindings offers nothing that the real package does not offer: names, parameters, constants."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from typing import Any

import pytest

READ = """
import inspect, json
from cuda.bindings import runtime
found = {}
for name in dir(runtime):
    value = getattr(runtime, name)
    if not name.startswith("cuda") or inspect.ismodule(value):
        continue
    if hasattr(value, "__members__"):
        found[name] = {key: int(member) for key, member in value.__members__.items()}
    elif isinstance(value, type):
        found[name] = [each for each in dir(value) if not each.startswith("_")]
    elif callable(value):
        found[name] = list(inspect.signature(value).parameters)
    else:
        found[name] = int(value)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def real() -> dict[str, Any]:
    """What NVIDIA's package has, read in a process of its own: its name is the stand-in's here."""
    pytest.importorskip("cuda.bindings")
    return dict(json.loads(subprocess.run([sys.executable, "-c", READ], capture_output=True, check=True).stdout))


def test_what_is_called_is_there_with_the_same_parameters(real: dict[str, Any], cuda: Any) -> None:
    compared = 0
    for name in dir(cuda):
        value = getattr(cuda, name)
        if not name.startswith("cuda"):
            continue
        assert name in real, f"{name} is not in cuda-bindings"
        if hasattr(value, "__members__"):
            members = {key: int(member) for key, member in value.__members__.items()}
            assert members.items() <= real[name].items(), name
        elif isinstance(value, type):
            assert set(getattr(value, "__annotations__", ())) <= set(real[name]), name
        elif callable(value):
            parameters = list(inspect.signature(inspect.unwrap(value)).parameters)
            assert parameters == real[name], name
        else:
            assert value == real[name], name
        compared += 1
    assert compared > 40


def test_errors_that_stay_are_the_real_ones(real: dict[str, Any], cuda: Any) -> None:
    from onscope.runtime.engines.gpu._failures import LOST, MEMORY

    assert set(real["cudaError_t"]) >= LOST | {MEMORY}
