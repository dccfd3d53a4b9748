"""CARE as it is shipped, on real structures under simulated light: what docs/real-recordings.md tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter

from onscope.export.zoo import PACKAGES
from onscope.export.zoo._metrics import best_gaussian, psnr
from onscope.export.zoo.systems._live_path import answers, movie, pipeline_of
from onscope.export.zoo.systems._structures import behind_a_camera
from onscope.export.zoo.systems.restore.care_cells import PIPELINE


@pytest.mark.long
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("image", "channel", "gains"),
    [
        ("nuclei_with_labels_stardist/img2d.tif", 0, (1.0, 1.5, 1.0)),
        ("two_channel_livecell_faro/000_00001.tiff", 0, (3.0, 3.5, 2.0)),
        ("two_channel_livecell_faro/000_00001.tiff", 1, (1.5, 1.0, 0.7)),
        ("cells_mcf10a_pyclm/mcf10a.tif", 0, (-1.5, -1.0, -2.5)),
    ],
)
def test_beside_the_best_gaussian(
    shared_data: Path, image: str, channel: int, gains: tuple[float, float, float]
) -> None:
    pixels = np.atleast_3d(tifffile.imread(shared_data / image).astype(np.float32))
    pixels = pixels[channel] if pixels.shape[0] <= 2 else pixels[..., 0]
    low, high = np.percentile(pixels, (1, 99.8))
    sides = tuple(slice(0, min(side // 8 * 8, 512)) for side in pixels.shape)
    light = gaussian_filter(np.clip((pixels - low) / (high - low), 0, 4)[sides], 1.0)
    for peak, gain in zip((5.0, 20.0, 100.0), gains, strict=True):
        frame = behind_a_camera(light, np.random.default_rng(3), peak)
        (result,) = answers(pipeline_of(PIPELINE, PACKAGES / "care-cells"), movie([frame.counts]))
        best = best_gaussian(frame.counts, frame.truth)
        assert psnr(np.asarray(result["denoise"]), frame.truth) > best + gain
