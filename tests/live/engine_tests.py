"""Conformance of engines: `class TestMine(EngineTests): provider = "mine"`; `ComputingEngineTests` for those that
compute every answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, helper, numpy_helper

from onscope.runtime import ProviderError
from onscope.runtime.engines import Session, open_session, probe_engines
from tests import models


class EngineTests:
    """What every engine has to do alike."""

    provider: str
    sizes: tuple[int | None, int | None] = (None, None)
    """Height and width of a session's frames where the graph leaves them free."""

    def open(self, graph: Path, frame: tuple[int, ...] = (8, 8), threads: int | None = None) -> Session:
        """A session for frames of that height and width; engines that build ahead do it here."""
        return open_session(graph, self.provider, threads)

    def test_it_runs_here(self) -> None:
        probe = next(probe for probe in probe_engines() if probe.name == self.provider.partition(":")[0])
        assert probe.ok, probe.detail

    def test_it_names_itself_and_its_tensors(self, folder: Path) -> None:
        session = self.open(models.plus_one(folder / "plus").weights)
        assert session.provider == self.provider
        (given,), (answer,) = session.inputs, session.outputs
        assert (given.name, given.shape, given.dtype) == ("frame", (1, 1, *self.sizes), "uint16")
        assert (answer.name, answer.dtype) == ("image", "uint16")

    @pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 1, 9, 17)])
    def test_it_answers_rightly(self, folder: Path, shape: tuple[int, ...]) -> None:
        session = self.open(models.plus_one(folder / "plus").weights, shape[2:], threads=1)
        frame = np.random.default_rng(0).integers(0, 60000, shape).astype(np.uint16)
        before = frame.copy()
        (answer,) = session.run([frame])
        assert answer.dtype == np.uint16
        assert np.array_equal(answer, frame + 1)
        assert np.array_equal(frame, before)

    def test_every_output_comes_in_the_order_of_the_graph(self, folder: Path) -> None:
        (points,) = self.open(models.brightest(folder / "found").weights).run(
            [np.arange(64, dtype=np.uint16).reshape(1, 1, 8, 8)]
        )
        assert points[:, 2].tolist() == list(range(63, 55, -1))

    @pytest.mark.parametrize(
        "arrays",
        [[], [np.zeros((1, 1, 8, 8), np.float32)], [np.zeros((1, 2, 8, 8), np.uint16)], [np.zeros((8, 8), np.uint16)]],
    )
    def test_what_does_not_fit_is_a_sentence(self, folder: Path, arrays: list[np.ndarray]) -> None:
        session = self.open(models.plus_one(folder / "plus").weights)
        with pytest.raises(ProviderError, match=r"expected|found"):
            session.run(arrays)

    def test_a_corrupt_file_is_a_sentence(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"this is no graph")
        with pytest.raises(ProviderError, match=r"cannot open broken\.onnx"):
            open_session(broken, self.provider)


class ComputingEngineTests(EngineTests):
    """What the compiled graphs need of an engine besides: several inputs, memory of any kind, states."""

    def test_frames_scalars_and_states_of_all_kinds(self, tmp_path: Path) -> None:
        """float32 sum of a uint8, a uint16 and a float32 frame, and an int64 count that goes on."""
        nodes = [helper.make_node("Cast", [name], [f"{name}_f"], to=FLOAT) for name in ("a", "b")]
        nodes += [
            helper.make_node("Sum", ["a_f", "b_f", "c"], ["sum"]),
            helper.make_node("Identity", ["sum"], ["answer"]),
            helper.make_node("Add", ["n", "one"], ["next"]),
        ]
        inputs = {"a": ("uint8", [4, 6]), "b": ("uint16", [4, 6]), "c": ("float32", [4, 6]), "n": ("int64", [1])}
        outputs = {"answer": ("float32", [4, 6]), "next": ("int64", [1])}
        session = self.open(save(tmp_path, nodes, inputs, outputs, {"one": np.int64(1)}))
        assert [(spec.name, spec.dtype, list(spec.shape)) for spec in session.inputs] == described(inputs)
        assert [(spec.name, spec.dtype, list(spec.shape)) for spec in session.outputs] == described(outputs)
        random = np.random.default_rng(0)
        state = np.array([40])
        for count in (41, 42, 43):
            a, b = (random.integers(0, 200, (4, 6)).astype(kind) for kind in ("uint8", "uint16"))
            c = random.normal(size=(4, 6)).astype(np.float32)
            answer, state = session.run([a, b, c, state])
            np.testing.assert_allclose(answer, a.astype(np.float32) + b + c, rtol=1e-6)
            assert state.tolist() == [count]

    def test_an_answer_may_be_the_next_input(self, tmp_path: Path) -> None:
        """A state of images: h = h turned upside down + frame; its memory must not be written while it is read."""
        nodes = [
            helper.make_node("Slice", ["h", "start", "end", "axis", "step"], ["turned"]),
            helper.make_node("Add", ["turned", "x"], ["state"]),
        ]
        shapes = {"x": ("float32", [64, 64]), "h": ("float32", [64, 64])}
        turn = {"start": [-1], "end": [-65], "axis": [0], "step": [-1]}
        session = self.open(save(tmp_path, nodes, shapes, {"state": ("float32", [64, 64])}, turn))
        random = np.random.default_rng(1)
        state = expected = np.zeros((64, 64), np.float32)
        for _ in range(5):
            frame = random.normal(size=(64, 64)).astype(np.float32)
            expected = expected[::-1] + frame
            (state,) = session.run([frame, state])
            np.testing.assert_allclose(state, expected, rtol=1e-5, atol=1e-6)

    def test_frames_are_never_written_to(self, tmp_path: Path) -> None:
        """Operators that could work in place, first thing in the graph."""
        nodes = [
            helper.make_node("Relu", ["x"], ["r"]),
            helper.make_node("Mul", ["r", "two"], ["m"]),
            helper.make_node("Clip", ["x", "two"], ["clipped"]),
            helper.make_node("Sum", ["m", "clipped"], ["y"]),
        ]
        shape = ("float32", [32, 32])
        session = self.open(save(tmp_path, nodes, {"x": shape}, {"y": shape}, {"two": np.float32(2)}))
        frame = np.random.default_rng(2).normal(size=(32, 32)).astype(np.float32)
        before = frame.copy()
        for _ in range(2):
            (answer,) = session.run([frame])
            assert np.array_equal(frame, before)
            np.testing.assert_allclose(answer, np.maximum(before, 0) * 2 + np.maximum(before, 2), rtol=1e-6)

    def test_frames_may_be_read_only_or_a_part_of_a_larger_one(self, folder: Path) -> None:
        weights = models.plus_one(folder / "plus").weights
        large = np.random.default_rng(3).integers(0, 60000, (1, 1, 20, 30)).astype(np.uint16)
        read_only = large[..., :8, :].copy()
        read_only.flags.writeable = False
        for frame in (read_only, large[..., 2:18:2, 5:13], large.swapaxes(2, 3)):
            (answer,) = self.open(weights, frame.shape[2:]).run([frame])
            assert np.array_equal(answer, frame + 1)

    def test_it_computes_in_float32(self, tmp_path: Path) -> None:
        """Sums of 9 x 16 products: bfloat16 would be off in the third digit."""
        random = np.random.default_rng(4)
        weights = random.normal(size=(4, 16, 3, 3)).astype(np.float32)
        nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
        inputs, outputs = {"x": ("float32", [1, 16, 34, 34])}, {"y": ("float32", [1, 4, 32, 32])}
        session = self.open(save(tmp_path, nodes, inputs, outputs, {"w": weights}))
        frame = random.normal(size=(1, 16, 34, 34)).astype(np.float32)
        (answer,) = session.run([frame])
        views = np.lib.stride_tricks.sliding_window_view(frame.astype(np.float64), (3, 3), axis=(2, 3))
        expected = np.einsum("nchwij,ocij->nohw", views, weights.astype(np.float64))
        np.testing.assert_allclose(answer, expected, atol=1e-5 * np.ptp(expected))


FLOAT = onnx.TensorProto.FLOAT
Tensors = dict[str, tuple[str, list[int]]]


def described(tensors: Tensors) -> list[tuple[str, str, list[int]]]:
    return [(name, dtype, shape) for name, (dtype, shape) in tensors.items()]


def save(
    folder: Path, nodes: Sequence[NodeProto], inputs: Tensors, outputs: Tensors, constants: dict[str, Any]
) -> Path:
    """An ONNX file of these nodes."""
    given, answered = (
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for name, (dtype, shape) in tensors.items()
        ]
        for tensors in (inputs, outputs)
    )
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "test", given, answered, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "graph.onnx")
    return folder / "graph.onnx"
