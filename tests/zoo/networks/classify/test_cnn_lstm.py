"""CNN and LSTM: the cell is PyTorch's, and its memory lives from frame to frame in the exported package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onscope.export import FurtherInput, export_torch
from onscope.export.zoo.networks.classify import STATE, CnnLstm
from onscope.runtime import Package
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Raw
from onscope.runtime.package import prove
from tests.graph.run import opened, request
from tests.zoo.networks.proof import LIMIT, answers, noise, seeded

HIDDEN = 6


def network() -> CnnLstm:
    made = seeded(lambda: CnnLstm(1, 3, HIDDEN, 18, 2), (2, 1, 64, 64), (2, HIDDEN), (2, HIDDEN))
    with torch.no_grad():  # what is remembered decides as much as what is seen
        made.last.weight[:, HIDDEN:].mul_(3)
    return made


def test_the_cell_is_an_lstm() -> None:
    ours, usual = network(), nn.LSTMCell(HIDDEN, HIDDEN)
    frame, hidden, cell = torch.rand(2, 1, 40, 40), torch.randn(2, HIDDEN), torch.randn(2, HIDDEN)
    with torch.no_grad():
        usual.weight_ih.copy_(ours.gates.weight[:, :HIDDEN])
        usual.weight_hh.copy_(ours.gates.weight[:, HIDDEN:])
        assert ours.gates.bias is not None
        usual.bias_ih.copy_(ours.gates.bias)
        usual.bias_hh.zero_()
        seen = torch.relu(ours.squeeze(ours.cnn(frame)[-1].mean(dim=(2, 3))))
        expected = usual(seen, (hidden, cell))
        found = ours(frame, hidden, cell)[1:]
    assert all(torch.allclose(have, want, atol=1e-6) for have, want in zip(found, expected, strict=True))


@pytest.mark.slow
def test_a_memory_lives_from_frame_to_frame(tmp_path: Path) -> None:
    made, names = network(), ("interphase", "mitosis", "dead")
    report = export_torch(
        made, noise(1, 1, 32, 48), tmp_path / "package", name="a network", description="For a test.", minimum=32,
        step=1, further=[FurtherInput(one["input"], "bc", (1, HIDDEN)) for one in STATE],
        output_names=["classes", *(one["output"] for one in STATE)], output_axes=["bc", "bc", "bc"],
        settings={"decode": "classes", "classes": list(names), "state": list(STATE)},
    )  # fmt: skip
    assert report.passed
    assert "empty state" in {one.where for one in report.parity}
    package = Package.load(report.folder)
    session = open_session(package.weights, "cpu", 1)
    assert all(one.passed for one in prove(package, session))
    run = opened([request(package)], Raw((33, 40), "float32", "yx"), tmp_path / "cache")
    hidden = cell = np.zeros((1, HIDDEN), np.float32)
    told = []
    for seed in range(4):
        frame = noise(33, 40, seed=seed)
        alone = answers(made, frame[None, None], 0 * hidden, 0 * cell)[0]
        chances, hidden, cell = answers(made, frame[None, None], hidden, cell)
        (found,) = run.run([frame]).values()
        assert np.abs(np.reshape(found, chances.shape) - chances).max() <= LIMIT
        told.append(np.abs(alone - chances).max())
    assert told[0] == 0
    assert min(told[1:]) > 1e-3  # it remembers
