"""Labels of flows are Cellpose's own, pixel for pixel and label for label, of the same network outputs."""

from __future__ import annotations

import numpy as np
import pytest

from onscope.runtime.decode import decoder
from onscope.runtime.package import make_step
from tests.live import cellpose_golden as golden

FLOW = {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False, "min_size": 15, "output_dtype": "uint16"}


def test_the_scenes_hold_objects_that_cellpose_keeps_and_ones_that_it_leaves_out() -> None:
    with np.load(golden.GOLDEN) as stored:
        found = [int(stored[f"labels_{number}"].max()) for number in range(golden.SCENES)]
    asked = [(8, 16, 24)[number % 3] for number in range(golden.SCENES)]
    assert sum(found) > 100
    assert found != asked


@pytest.mark.parametrize("number", range(golden.SCENES))
def test_crowded_objects_are_labelled_alike(number: int) -> None:
    """An object whose flow is as wrong as `flow_threshold` allows, to 0.01, might go the other way; here is none."""
    output = golden.scene(number)
    with np.load(golden.GOLDEN) as stored:
        assert str(stored[f"sha256_{number}"]) == golden.fingerprint(output), "write the golden file again"
        expected = stored[f"labels_{number}"]
    decode = decoder(["channel", "y", "x"], {}, [make_step("cellpose_flow_dynamics", FLOW)])
    found, _ = decode(output)
    assert np.array_equal(found, expected)
