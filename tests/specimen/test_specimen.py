"""The specimen as a whole: what a snap holds, what light does, what is kept, and that all of it repeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen import Channel, Snap, Specimen
from onscope.specimen.optics import OBJECTIVES, Condenser, Drift, Illumination, Mask, Microscope
from onscope.specimen.sample import BeadSettings, BrownianBeads, Cells, CellSettings, Together
from onscope.specimen.sensor import SCMOS

MIDDLE = (150.0, 150.0)
CHANNELS = {
    "nuclei": Channel("nucleus", Illumination(561, power_mw=10, field_um=300), (590, 650)),
    "bodies": Channel("cytoplasm", Illumination(488, power_mw=10, field_um=300), (500, 550)),
    "phase": Channel(None, Illumination(546, power_mw=0.001, field_um=300, unevenness=0), exposure_s=0.01),
}
SCOPE = Microscope(OBJECTIVES["20x/0.75"], condenser=Condenser("phase"))


def specimen(seed: int = 1, drift: Drift | None = None, sensitivity: float = 1.0) -> Specimen:
    culture = Cells(CellSettings(count=40, extent_um=(300.0, 300.0), sensitivity=sensitivity), seed=seed)
    return Specimen(culture, SCOPE, CHANNELS, drift=drift, seed=seed)


def test_a_snap_holds_counts_photons_and_truth_of_the_same_place() -> None:
    snap = specimen().snap(MIDDLE, "nuclei", shape=(192, 256))
    assert snap.counts.dtype == np.uint16
    assert snap.photons.dtype == np.float32
    assert snap.counts.shape == snap.photons.shape == snap.expected.shape == (192, 256)
    assert snap.truth is not None
    assert snap.truth.nuclei.shape == (192, 256)
    inside = snap.truth.nuclei > 0
    assert np.median(snap.counts[inside]) > 1.3 * np.median(snap.counts[~inside])


def test_counts_scatter_around_the_expected_ones_as_the_sensor_says() -> None:
    scene = specimen()
    first = scene.snap(MIDDLE, "nuclei", truth=False)
    electrons = first.photons * SCMOS.quantum_efficiency
    gain = SCMOS.gain_counts_per_electron
    deviation = (first.counts - first.expected) / np.sqrt(gain**2 * (electrons + 1.6**2))
    middle = np.percentile(deviation, [2.5, 16, 50, 84, 97.5])  # hot pixels and the read noise's spread lie outside
    assert abs(middle[2]) < 0.02
    assert middle[3] - middle[1] == pytest.approx(2, rel=0.05)


def test_the_same_calls_give_the_same_bits() -> None:
    def run() -> list[Snap]:
        scene = specimen(seed=5)
        snaps = []
        for step in range(3):
            scene.advance(300.0 * step)
            snaps += [scene.snap(MIDDLE, name, shape=(128, 128)) for name in CHANNELS]
        return snaps

    for one, other in zip(run(), run(), strict=True):
        assert np.array_equal(one.counts, other.counts)
        assert one.truth is not None
        assert other.truth is not None
        assert one.truth.objects.tobytes() == other.truth.objects.tobytes()


def test_asking_for_the_truth_changes_nothing() -> None:
    asked, silent = specimen(), specimen()
    for time_s in (0.0, 3.0, 30.0):  # a step of cells is 10 s
        for scene in (asked, silent):
            scene.advance(time_s)
        with_truth = asked.snap(MIDDLE, "bodies", shape=(128, 128), exposure_s=0.06)
        without = silent.snap(MIDDLE, "bodies", shape=(128, 128), exposure_s=0.06, truth=False)
        assert np.array_equal(with_truth.counts, without.counts)


def test_the_image_is_kept_until_sample_or_view_change() -> None:
    scene = specimen()
    first = scene.snap(MIDDLE, "phase", shape=(64, 64), truth=False)
    again = scene.snap(MIDDLE, "phase", shape=(64, 64), truth=False)
    assert again.photons is first.photons
    assert not np.array_equal(again.counts, first.counts)
    scene.advance(3.0)  # no step of the sample yet
    assert scene.snap(MIDDLE, "phase", shape=(64, 64), truth=False).photons is first.photons
    scene.advance(20.0)
    assert scene.snap(MIDDLE, "phase", shape=(64, 64), truth=False).photons is not first.photons
    moved = scene.snap((150.0, 152.0), "phase", shape=(64, 64), truth=False)
    assert moved.photons is not first.photons
    with pytest.raises(ValueError, match="read-only"):
        first.photons[0, 0] = 1


@pytest.mark.parametrize("read", [True, False])
def test_light_bleaches_whether_or_not_a_frame_is_read(read: bool) -> None:
    scene = specimen()
    before = scene.snap(MIDDLE, "nuclei", shape=(256, 256))
    if read:
        for _ in range(40):
            scene.snap(MIDDLE, "nuclei", shape=(256, 256), exposure_s=1.0, truth=False)
    else:
        scene.illuminate(MIDDLE, "nuclei", 40.0, shape=(256, 256))
    after = scene.snap(MIDDLE, "nuclei", shape=(256, 256))
    fluence = SCOPE.fluence(before.view, CHANNELS["nuclei"].illumination, 40.0)
    assert after.truth is not None
    received = after.truth.objects["dose_j_cm2"]
    assert received.max() <= fluence.max() * 1.1  # beside the view cells are discs: on its border some percent more
    inner = np.hypot(after.truth.objects["y_um"] - 150, after.truth.objects["x_um"] - 150) < 15
    assert received[inner] == pytest.approx(fluence[128, 128] + fluence[128, 128] / 800, rel=0.05)
    assert after.photons.mean() < before.photons.mean()
    assert scene.light["nuclei"].seconds == pytest.approx(40.1)
    assert scene.light["nuclei"].mj == pytest.approx(401)
    assert scene.light["nuclei"].exposures == (42 if read else 2)
    assert scene.light["phase"].seconds == 0


def test_short_flashes_bleach_as_much_as_a_long_one() -> None:
    flashes, one = specimen(), specimen()
    for _ in range(400):
        flashes.snap(MIDDLE, "bodies", shape=(128, 128), exposure_s=0.01, truth=False)
    one.snap(MIDDLE, "bodies", shape=(128, 128), exposure_s=4.0, truth=False)
    a, b = (scene.snap(MIDDLE, "bodies", shape=(128, 128)) for scene in (flashes, one))
    np.testing.assert_allclose(a.photons, b.photons, rtol=1e-4)


def test_a_mask_lights_one_half_alone() -> None:
    half = np.zeros((100, 100), np.float32)
    half[:, 50:] = 1
    mask = Mask(half, mirror_um=2.0)
    scene = specimen()
    scene.illuminate(MIDDLE, "bodies", 20.0, shape=(512, 512), pattern=mask)
    objects = scene.snap(MIDDLE, "phase", shape=(512, 512)).truth
    assert objects is not None
    dark, lit = objects.objects["x_um"] < 130, objects.objects["x_um"] > 170
    assert objects.objects["dose_j_cm2"][lit].min() > 50 * objects.objects["dose_j_cm2"][dark].max()


def test_drift_moves_what_is_seen() -> None:
    drifting = specimen(drift=Drift(velocity_um_h=(0.0, 36.0, 0.0)))
    drifting.advance(900.0)
    assert drifting.snap(MIDDLE, "phase", shape=(32, 32)).view.centre_um == pytest.approx((159.0, 150.0))


def test_an_emission_filter_takes_its_share() -> None:
    scene = specimen()
    scene.channels["open"] = replace(CHANNELS["bodies"], emission_nm=None)
    scene = Specimen(scene.sample, SCOPE, scene.channels)
    seen = [scene.snap(MIDDLE, name, shape=(64, 64), truth=False, exposure_s=0.01) for name in ("bodies", "open")]
    share = scene.sample.fluorophore("cytoplasm").emission_share(500, 550)  # type: ignore[attr-defined]
    np.testing.assert_allclose(seen[0].photons, seen[1].photons * share, rtol=1e-4)


def test_beads_beside_cells_are_seen_in_their_own_dye() -> None:
    beads = BrownianBeads(BeadSettings(count=50, extent_um=(300.0, 300.0)), seed=1)
    both = Together([Cells(CellSettings(count=20, extent_um=(300.0, 300.0)), seed=1), beads])
    scene = Specimen(both, SCOPE, {"beads": Channel("beads", Illumination(power_mw=5))})
    first = scene.snap(MIDDLE, "beads", shape=(64, 64))
    scene.advance(0.02)  # a step of the beads, none of the cells
    assert scene.snap(MIDDLE, "beads", shape=(64, 64)).photons is not first.photons


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no channels"):
        Specimen(specimen().sample, SCOPE, {})
    with pytest.raises(KeyError, match="expected one of nucleus"):
        Specimen(specimen().sample, SCOPE, {"a": Channel("actin")})
    with pytest.raises(KeyError, match="expected one of nuclei, bodies, phase"):
        specimen().snap(MIDDLE, "DAPI")
    with pytest.raises(ValueError, match="none below 0"):
        specimen().snap(MIDDLE, "nuclei", exposure_s=-1.0)
    with pytest.raises(ValueError, match="above 0"):
        Channel("nucleus", exposure_s=0)
    with pytest.raises(ValueError, match="band"):
        Channel("nucleus", emission_nm=(550, 500))


SCENE = specimen()


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(st.floats(-500, 800), st.floats(-500, 800)),
    st.sampled_from(sorted(CHANNELS)),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.sampled_from([1, 2, 4]),
    st.floats(-20, 20),
)
def test_any_place_can_be_snapped(
    at: tuple[float, float], channel: str, shape: tuple[int, int], binning: int, z_um: float
) -> None:
    snap = SCENE.snap(at, channel, shape=shape, binning=binning, z_um=z_um)
    assert snap.counts.shape == shape
    assert np.isfinite(snap.photons).all()
    assert snap.photons.min() >= 0
