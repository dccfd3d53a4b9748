"""SegNet: parameters as published, values that go back where they came from, and an export that is equal."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from onscope.export.zoo.networks.segment import SegNet

from ..proof import parameters, proven, seeded, shape_of


def test_parameters() -> None:
    """29.46 M in the comparison of A. Paszke et al., "ENet", arXiv:1606.02147."""
    assert parameters(lambda: SegNet()) == 29_449_355
    assert parameters(lambda: SegNet()) / 1e6 == pytest.approx(29.46, abs=0.02)


@pytest.mark.parametrize("size", [(32, 32), (37, 63)])
def test_any_size(size: tuple[int, int]) -> None:
    assert shape_of(SegNet(1, 3, width=2), (2, 1, *size)) == (2, 3, *size)


@pytest.mark.slow
def test_parity(tmp_path: Path) -> None:
    network = seeded(lambda: SegNet(1, 2, width=2), (2, 1, 64, 64))
    proven(
        network, tmp_path / "package", (1, 1, 32, 48), [(1, 1, 33, 47), (2, 1, 40, 32)], minimum=32, step=1,
        settings={"decode": "classes", "classes": ["background", "cell"]},
    )  # fmt: skip
    kinds = [node.op_type for node in onnx.load(tmp_path / "package" / "weights.onnx").graph.node]
    assert sum(kind.startswith("Scatter") for kind in kinds) == 5  # max unpooling, which ONNX has no engine for
