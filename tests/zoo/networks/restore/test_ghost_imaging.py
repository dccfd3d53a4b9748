"""Ghost imaging: the correlation finds the object, and networks of one size are exported as such."""

from __future__ import annotations

from pathlib import Path

import torch

from onscope.export.zoo.networks.restore import GhostImaging, GhostImagingFromSeries

from ..proof import frame, noise, parameters, proven, seeded


def test_shapes_and_parameters() -> None:
    # Dense layers alone: three hidden ones and the last, each 1024 to 1024. The paper prints no total.
    assert parameters(lambda: GhostImaging()) == 4 * (1024 + 1) * 1024
    assert GhostImaging(8, hidden=5, layers=2)(torch.rand(3, 1, 8, 8)).shape == (3, 1, 8, 8)


def test_the_correlation_finds_the_object() -> None:
    random = torch.Generator().manual_seed(0)
    truth = torch.zeros(16, 16)
    truth[4:9, 6:13] = 1
    patterns = torch.rand(4000, 16, 16, generator=random)
    series = (patterns * truth).sum(dim=(1, 2))[None, None, None]
    crude = GhostImagingFromSeries(patterns, hidden=2).correlated(series)[0, 0]
    assert float(torch.corrcoef(torch.stack((crude.flatten(), truth.flatten())))[0, 1]) > 0.9


def test_the_export_is_equal_at_its_own_size(tmp_path: Path) -> None:
    proven(seeded(lambda: GhostImaging(16, hidden=12)), tmp_path / "package", frame(1, 1, 16, 16), fixed=True)


def test_an_image_is_made_of_a_detector_s_series(tmp_path: Path) -> None:
    network = seeded(lambda: GhostImagingFromSeries(torch.rand(40, 8, 8), hidden=12))
    package = proven(network, tmp_path / "package", noise(1, 1, 1, 40), fixed=True)
    sizes = [{axis.id: axis.size.fixed for axis in one[0].described} for one in (package.inputs, package.outputs)]
    assert sizes == [{"batch": 1, "channel": 1, "y": 1, "x": 40}, {"batch": 1, "channel": 1, "y": 8, "x": 8}]
    assert package.outputs[0].scale is None
