"""Conformance of engines: `class TestMine(EngineTests): provider = "mine"`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import ProviderError
from onscope.runtime.engines import open_session, probe_engines
from tests import models


class EngineTests:
    """What every engine has to do alike."""

    provider: str
    exact = True

    def test_it_runs_here(self) -> None:
        probe = next(probe for probe in probe_engines() if probe.name == self.provider.partition(":")[0])
        assert probe.ok, probe.detail

    def test_it_names_itself_and_its_tensors(self, folder: Path) -> None:
        session = open_session(models.plus_one(folder / "plus").weights, self.provider)
        assert session.provider == self.provider
        (given,), (answer,) = session.inputs, session.outputs
        assert (given.name, given.shape, given.dtype) == ("frame", (1, 1, None, None), "uint16")
        assert (answer.name, answer.dtype) == ("image", "uint16")

    @pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 1, 9, 17)])
    def test_it_answers_rightly(self, folder: Path, shape: tuple[int, ...]) -> None:
        session = open_session(models.plus_one(folder / "plus").weights, self.provider, threads=1)
        frame = np.random.default_rng(0).integers(0, 60000, shape).astype(np.uint16)
        before = frame.copy()
        (answer,) = session.run([frame])
        assert answer.dtype == np.uint16
        assert np.array_equal(answer, frame + 1)
        assert np.array_equal(frame, before)

    def test_every_output_comes_in_the_order_of_the_graph(self, folder: Path) -> None:
        (points,) = open_session(models.brightest(folder / "found").weights, self.provider).run(
            [np.arange(64, dtype=np.uint16).reshape(1, 1, 8, 8)]
        )
        assert points[:, 2].tolist() == list(range(63, 55, -1))

    @pytest.mark.parametrize(
        "arrays",
        [[], [np.zeros((1, 1, 8, 8), np.float32)], [np.zeros((1, 2, 8, 8), np.uint16)], [np.zeros((8, 8), np.uint16)]],
    )
    def test_what_does_not_fit_is_a_sentence(self, folder: Path, arrays: list[np.ndarray]) -> None:
        session = open_session(models.plus_one(folder / "plus").weights, self.provider)
        with pytest.raises(ProviderError, match=r"expected|found"):
            session.run(arrays)

    def test_a_corrupt_file_is_a_sentence(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"this is no graph")
        with pytest.raises(ProviderError, match=r"cannot open broken\.onnx"):
            open_session(broken, self.provider)
