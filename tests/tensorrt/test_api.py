"""The stand-in of TensorRT offers nothing that the real bindings do not offer, in either generation."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = json.loads(Path(__file__).with_name("api.json").read_text())


def _public(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def test_every_method_and_its_parameters_are_those_of_the_real_bindings(tensorrt: str) -> None:
    import tensorrt as standin

    real = RECORDED[tensorrt.split(".")[0]]
    assert real["version"] == standin.__version__
    compared = 0
    for name in standin.__all__:
        kind, members = getattr(standin, name), real["classes"][name]
        if hasattr(kind, "__members__"):
            assert {key: int(value) for key, value in kind.__members__.items()} == members
            continue
        for member, value in _public(kind).items():
            assert member in members, f"{name}.{member} is not in tensorrt {tensorrt}"
            if inspect.isfunction(value):
                parameters = list(inspect.signature(value).parameters)[1:]
                assert parameters in members[member], f"{name}.{member}{members[member]}"
                compared += 1
    assert compared > 20


def test_the_generations_differ_where_it_matters() -> None:
    """What makes the same number wrong in one of them: the stand-ins would be no test if they agreed."""
    ten, eleven = (RECORDED[key]["classes"] for key in ("10", "11"))
    assert ten["NetworkDefinitionCreationFlag"]["STRONGLY_TYPED"] == 1
    assert eleven["NetworkDefinitionCreationFlag"]["STRONGLY_TYPED"] == 0
    assert "FP16" in ten["BuilderFlag"]
    assert "FP16" not in eleven["BuilderFlag"]


def test_a_network_that_is_not_strongly_typed_is_noticed(tensorrt: str) -> None:
    import tensorrt as standin

    class Log(standin.ILogger):  # type: ignore[misc]
        def log(self, severity: Any, msg: str) -> None:
            pass

    with pytest.raises(AssertionError, match="not strongly typed"):
        standin.Builder(Log()).create_network(0)
