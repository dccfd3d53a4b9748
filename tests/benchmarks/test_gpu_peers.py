"""What GPU engines are held against: the same U-Net in PyTorch, and what a card could do at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from benchmarks.gpu import TINY, _peers
from benchmarks.gpu._floor import floor_ms, work_of
from benchmarks.gpu._torch import Net, player
from benchmarks.graphs._packages import GAIN, MOST, unet
from onnx import TensorProto, helper, numpy_helper

LOW, HIGH = 150.0, 260.0


@pytest.mark.parametrize("precision", ["float32", "fp16"])
def test_the_network_in_pytorch_answers_as_its_file(precision: str, tmp_path: Path) -> None:
    package = unet(tmp_path / "unet", 4)
    frame = np.random.default_rng(0).poisson(200, (64, 64)).astype(np.uint16)
    play = player(Net(package.weights, LOW, HIGH), 64, precision, "cpu", compiled=False)
    normal = ((frame.astype(np.float32) - LOW) / (HIGH - LOW))[None, None]
    session = onnxruntime.InferenceSession(str(package.weights), providers=["CPUExecutionProvider"])
    wanted = np.clip(session.run(None, {"x": normal})[0][0, 0] * GAIN, 0, MOST)
    found = play(frame).astype(np.float64)
    assert np.abs(found - np.floor(wanted)).max() <= (1 if precision == "float32" else 0.01 * np.ptp(wanted))


def test_there_is_a_row_for_each_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What records CUDA graphs wants a compiler, and a minute, on machines without a GPU.
    monkeypatch.setattr(_peers, "PEERS", dict.fromkeys(_peers.PEERS, False))
    rows = list(_peers.peers(TINY, tmp_path, lambda text: None, "cpu", ["cpu"]))
    assert [row.what.split(" against ")[1] for row in rows] == list(_peers.PEERS)
    assert all(row.ratio for row in rows)


def test_the_work_of_a_network_is_counted(tmp_path: Path) -> None:
    kernel = numpy_helper.from_array(np.zeros((8, 3, 5, 5), np.float32), "w")
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[2, 2, 2, 2])
    shapes = [("x", [1, 3, 10, 20]), ("y", [1, 8, 10, 20])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], [kernel])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "one")
    work = work_of(tmp_path / "one")
    assert work.gflop == pytest.approx(2 * 3 * 5 * 5 * 8 * 10 * 20 / 1e9)
    assert work.mb == pytest.approx(4 * (600 + 600 + 1600) / 1e6)
    assert floor_ms(work, "NVIDIA H200", "float32") == pytest.approx(max(work.gflop / 67, work.mb / 4800))
    assert floor_ms(work, "a card of tomorrow", "fp16") is None
