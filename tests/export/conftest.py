"""Frames and the command line for the tests of the export."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onscope.export import export_torch

Export = Callable[..., Any]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def operators_read_once() -> Iterator[None]:
    """PyTorch's exporter reads its tables of operators anew at each export, a third of its time; here it does once."""
    from torch._export import utils
    from torch.onnx._internal.exporter import _registration

    table = _registration.ONNXRegistry
    before = table.__dict__["from_torchlib"]
    read = functools.cache(before.__func__)
    setattr(table, "from_torchlib", classmethod(lambda cls, *args, **kwargs: read(cls, *args, **kwargs)))  # noqa: B010
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_materialize_cpp_cia_ops", functools.cache(utils._materialize_cpp_cia_ops))
        yield
    setattr(table, "from_torchlib", before)  # noqa: B010


@pytest.fixture
def counts() -> npt.NDArray[np.uint16]:
    """A noisy frame (1, 1, 40, 36) of uint16 counts with a few bright spots."""
    random = np.random.default_rng(0)
    level = np.full((1, 1, 40, 36), 200.0)
    for y, x in random.integers(3, 33, (12, 2)):
        level[0, 0, y - 1 : y + 2, x - 1 : x + 2] += random.uniform(400, 1500)
    return random.poisson(level).astype(np.uint16)


@pytest.fixture
def make(tmp_path: Any) -> Export:
    """`export_torch` into the folder `package`, with what it must be told filled in."""

    def export(network: Any, example: Any, **options: Any) -> Any:
        told = {"name": "a network", "description": "For a test.", "authors": ["A. Author"], "license": "BSD-3-Clause"}
        return export_torch(network, example, tmp_path / "package", **{**told, **options})

    return export
