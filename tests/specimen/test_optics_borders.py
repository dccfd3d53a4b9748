"""Whatever is asked of the microscope, it answers with an image: finite, not negative, of the view's shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen._view import View
from onscope.specimen.optics import (
    FLUOROPHORES,
    OBJECTIVES,
    Condenser,
    Illumination,
    LightPath,
    Mask,
    Microscope,
    Mode,
    Stripes,
)

from .plain import Plain

PATTERNS = [None, Stripes(0.3, 1.0), Stripes(2.0, 0.2, 1.0, 1.0), Mask(np.eye(7, dtype=bool), 1.5, (3.0, -2.0), 0.3)]
SAMPLE = Plain(
    sheets=[(1.0, lambda y, x: 50 + 40 * np.sin(3 * y) * np.cos(2 * x)), (7.0, lambda y, x: 20.0 * (x > 50) + 0 * y)],
    points=[(0.3, 50.0, 50.0, 500.0), (4.0, 51.0, 49.0, 200.0)],
    path_nm=lambda y, x: 900 * np.exp(-((y - 50) ** 2 + (x - 50) ** 2) / 8),
    absorbance=lambda y, x: 0.4 * (y > 50) + 0 * x,
)

modes = st.one_of(
    st.tuples(st.sampled_from(["widefield", "confocal", "transmitted"]), st.sampled_from(sorted(OBJECTIVES))),
    st.just(("tirf", "100x/1.49 TIRF")),
)


@given(
    how=modes,
    shape=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    pixel_um=st.sampled_from([0.05, 0.108, 0.325, 1.3]),
    z_um=st.floats(-20, 40),
    off_um=st.tuples(st.floats(-30, 30), st.floats(-30, 30)),
    pattern=st.sampled_from(PATTERNS),
    dye=st.sampled_from(sorted(FLUOROPHORES)),
    contrast=st.sampled_from(["brightfield", "phase"]),
)
@settings(max_examples=40, deadline=None)
def test_every_view_gets_its_image(
    how: tuple[Mode, str],
    shape: tuple[int, int],
    pixel_um: float,
    z_um: float,
    off_um: tuple[float, float],
    pattern: Stripes | Mask | None,
    dye: str,
    contrast: str,
) -> None:
    mode, objective = how
    condenser = Condenser(contrast)  # type: ignore[arg-type]
    scope = Microscope(OBJECTIVES[objective], mode=mode, condenser=condenser, path=LightPath(seed=3))
    view = View((50.0, 50.0), shape, pixel_um)
    light = Illumination(488, power_mw=1, pattern=pattern)
    axis = (50.0 + off_um[0], 50.0 + off_um[1])
    image = scope.image(SAMPLE, view, "dye", z_um, light, 0.1, fluorophore=FLUOROPHORES[dye], axis_um=axis)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0
    fluence = scope.fluence(view, light, 0.1, axis_um=axis)
    assert fluence.shape == shape
    assert np.isfinite(fluence).all()
    assert fluence.min() >= 0
