"""The pipeline that rules are rehearsed with where none is named: that of docs/labels.md."""

from __future__ import annotations

from ..._crops_stage import Crops
from ..._host_stages import Measure, Track
from ..._pipeline import Pipeline
from ..._stage import Stage
from ...trust import OFF


def usual_pipeline() -> Pipeline:
    """Nuclei, measured, followed, and the phase of each. Raises PackageError where the shipped packages are missing."""
    return Pipeline(
        [
            Stage("nuclei", "zoo/nuclei-cells", trust=OFF),
            Measure("cells", of="nuclei"),
            Track("tracks", of="cells", max_distance_um=8, gap=2, divisions=True),
            Crops("phase", "zoo/mitosis-cells", of="cells", rescale=True),
        ]
    )
