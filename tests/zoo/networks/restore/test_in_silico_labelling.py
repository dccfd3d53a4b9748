"""In-silico labelling: sizes and widths as in the paper's public code, the median, and the export."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from onscope.export.zoo.networks.restore import InSilicoLabelling
from onscope.export.zoo.networks.restore.in_silico_labelling import median

from ..proof import frame, proven, seeded

# Pixels per side at the entry of each tower, behind each halving, at the coarsest, and behind each doubling, from the
# table of "concordance" in the paper's public code; the upper part has 36 to 8.
TOWERS = [
    (72, [], 36, []),
    (102, [48], 20, [36]),
    (146, [70, 32], 12, [20, 36]),
    (202, [98, 46, 20], 8, [12, 20, 36]),
    (250, [122, 58, 26, 10], 6, [8, 12, 20, 36]),
]


def even(number: float) -> int:
    return math.ceil(number) + math.ceil(number) % 2


def module(taps: int, channels: int, size: int, base: int = 400) -> tuple[int, int]:
    """Weights of a residual module that answers `size` pixels per side, and its channels."""
    depth = math.ceil(base / size)
    wide, narrow = max(even(211 / 39 * depth), channels), max(even(depth), channels)
    both = wide + channels
    return 2 * channels + 2 * channels * wide * taps + 2 * both + 2 * both * narrow, narrow


def reference(planes: int, labels: int) -> int:
    total, joined = planes * 16 + 16, 0
    for _, halved, coarsest, doubled in TOWERS:
        channels, size = 16, 72
        for size in halved:
            for taps in (16, 9):
                weights, channels = module(taps, channels, size)
                total += weights
        for smaller in range(size - 2, coarsest - 1, -2):
            weights, channels = module(9, channels, smaller)
            total += weights
        for size in doubled:
            depth = math.ceil(396 / size)
            wide, narrow = even(211 / 39 * depth), even(depth)
            total += 2 * channels + 2 * channels * wide * 16 + 2 * wide + 2 * wide * narrow
            weights, channels = module(9, min(channels, narrow), size)
            total += weights
        joined += channels
    for size in range(34, 7, -2):
        weights, joined = module(9, joined, size)
        total += weights
    return total + labels * (2 * joined + (2 * joined + 1) * 256)


def test_sizes_and_parameters_are_those_of_the_reference_code() -> None:
    with torch.device("meta"):
        network = InSilicoLabelling()
        assert network.views == [entry for entry, *_ in TOWERS]
        assert sum(one.numel() for one in network.parameters()) == reference(
            13, 8
        )  # counted along the public code; the paper prints no total
        assert network.project(torch.empty(1, 13, 250, 250)).shape[2:] == (250, 250)
        assert network.upper(network.joined(torch.empty(1, 16, 250, 250))).shape[2:] == (8, 8)
        assert network(torch.empty(1, 13, 30, 41)).shape == (1, 8, 30, 41)


def test_the_median_lies_between_the_bins() -> None:
    shares = torch.zeros(1, 256, 1, 3)
    shares[0, 100, 0, 0] = 1
    shares[0, [10, 11], 0, 1] = 0.5
    shares[0, :, 0, 2] = 1 / 256
    assert (median(shares)[0, 0, 0] * 255).tolist() == pytest.approx([100, 10.5, 127.5])


def test_each_pixel_is_answered_alike_in_a_larger_frame() -> None:
    torch.manual_seed(0)
    network = InSilicoLabelling(2, 1, base_depth=40, scales=2).eval()
    large = torch.rand(1, 2, 72, 74)
    with torch.no_grad():
        whole, part = network(large), network(large[:, :, 2:, 2:])
    assert torch.allclose(whole[:, :, 36:, 36:-10], part[:, :, 34:, 34:-10], atol=1e-5)


@pytest.mark.slow
def test_the_export_is_equal(tmp_path: Path) -> None:
    network = seeded(lambda: InSilicoLabelling(3, 2, base_depth=16, scales=2), (2, 3, 20, 24))
    proven(
        network, tmp_path / "package", frame(1, 3, 20, 24), axes="bzyx", output_axes="bcyx", minimum=16, step=1,
    )  # fmt: skip
