"""Scenario files: the shipped ones show what they promise, and a mistake is a sentence with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.specimen.scenarios import ScenarioError, as_specimen, load_scenario, read_scenario, scenario_names

SHIPPED = [
    "bacteria",
    "dividing-cells",
    "label-free",
    "photo-toxicity",
    "rare-event",
    "sim",
    "spots",
    "wound",
]
PLAIN = """\
schema: 1
name: mine
description: A few beads.
sample:
  beads: {count: 30, extent_um: [60, 60]}
channels:
  beads: {dye: beads, wavelength_nm: 488, power_mw: 1, exposure_ms: 20}
acquisition: {interval_s: 1, stage_um: [30, 30], shape: [64, 96]}
"""


def test_the_shipped_scenarios_are_these() -> None:
    assert scenario_names() == SHIPPED
    assert [read_scenario(name).name for name in SHIPPED] == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_scenario_gives_well_exposed_images_of_living_things(name: str) -> None:
    scenario = read_scenario(name)
    specimen = as_specimen(scenario)
    assert specimen.time_s == scenario.sample.age_s
    for channel in list(specimen.channels)[:4]:
        snap = specimen.snap(scenario.acquisition.stage_um, channel, shape=(256, 256))
        dark = specimen.sensor.offset_counts
        assert np.mean(snap.counts >= specimen.sensor.saturation_counts) < 1e-3, channel
        # far above the read noise of 1 to 2 electrons, where something is
        assert np.percentile(snap.counts, 99.5) > dark + 50, channel
        assert snap.truth is not None
        assert len(snap.truth.objects) >= 1


def test_the_seed_chooses_other_cells_of_the_same_kind() -> None:
    same, again, other = (load_scenario("rare-event", seed) for seed in (3, 3, 4))
    views = [one.snap((500, 500), "nuclei", shape=(128, 128)).counts for one in (same, again, other)]
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


def test_structured_light_is_a_channel_per_pattern() -> None:
    specimen = load_scenario("sim")
    assert [*specimen.channels][:4] == ["filaments a1 p1", "filaments a1 p2", "filaments a1 p3", "filaments a2 p1"]
    snaps = [specimen.snap((105, 150), name, shape=(128, 128), truth=False) for name in [*specimen.channels][:3]]
    mean = sum(snap.photons for snap in snaps) / 3
    # phases a third of a period apart add up to even light: no stripe is left in their mean, whatever the angle
    for snap in snaps:
        assert np.std(snap.photons / mean) > 0.04
    other = [specimen.snap((105, 150), name, shape=(128, 128), truth=False) for name in [*specimen.channels][3:6]]
    # 270 ms of light bleach less than 1 %
    np.testing.assert_allclose(mean, sum(snap.photons for snap in other) / 3, rtol=0.02)


def test_too_much_light_kills() -> None:
    specimen = load_scenario("photo-toxicity")
    for minute in range(0, 80, 2):
        specimen.advance(1800 + minute * 60)
        snap = specimen.snap((170, 170), "bodies", shape=(320, 320), truth=minute == 78)
    assert snap.truth is not None
    objects, kinds = snap.truth.objects, snap.truth.kinds()
    lit = np.hypot(objects["y_um"] - 170, objects["x_um"] - 170) < 20  # whole cells within the lit view
    ended = [kind in ("dying", "dead") for kind, inside in zip(kinds, lit, strict=True) if inside]
    assert len(ended) >= 3
    assert sum(ended) >= 0.6 * len(ended)


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (("schema: 1", "schema: 2"), 1, "found schema 2, expected 1"),
        (("exposure_ms: 20", "exposure_s: 0.02"), 7, "found 'exposure_s', expected 'exposure_ms': the unit"),
        (("exposure_ms: 20", "exposure_ms: 20 ms"), 7, "found exposure_ms: '20 ms', expected a number without a unit"),
        (("power_mw", "powr_mw"), 7, "found 'powr_mw', expected 'power_mw'"),
        (("wavelength_nm: 488, ", ""), 7, "found no 'wavelength_nm'"),
        (("count: 30", "count: 3.5"), 5, "found count: 3.5, expected a whole number"),
        (("count: 30", "count: true"), 5, "found count: True, expected a whole number"),
        (("count: 30", "count: -3"), 5, "expected positive"),
        (("[60, 60]", "[60]"), 5, "expected a list of 2 values"),
        (("power_mw: 1", "power_mw: .inf"), 7, "found power_mw: inf, expected a number"),
        (("beads: {count", "yeast: {count"), 5, "found 'yeast', expected 'beads'"),
        (("name: mine", "name: mine\nmicroscope: {mode: sted}"), 3, "found mode: 'sted', expected widefield or"),
        (("interval_s: 1", "interval_s: 0"), 8, "expected both above 0"),
        (("description: A few beads.", "description: &a x"), 3, "anchor"),
        (("name: mine", "name: mine\nname: yours"), 3, "found no YAML"),
    ],
)
def test_a_mistake_is_a_sentence_with_its_line(tmp_path: Path, change: tuple[str, str], line: int, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PLAIN.replace(*change), encoding="utf-8")
    with pytest.raises(ScenarioError) as error:
        load_scenario(path)
    assert str(error.value).startswith(f"{path}, line {line}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PLAIN, encoding="utf-8")
    specimen = load_scenario(path, seed=9)
    assert specimen.seed == 9
    assert specimen.channels["beads"].exposure_s == pytest.approx(0.02)
    assert specimen.snap((30, 30), "beads", shape=(64, 96)).counts.shape == (64, 96)


def test_the_scenario_in_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "specimen.md").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert list(load_scenario(path).channels) == ["nuclei", "beads", "phase"]
    assert all(f"images/specimen-{name}.png" in page and f"| `{name}` |" in page for name in SHIPPED)


def test_a_dye_that_the_sample_has_not_and_unknown_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(PLAIN.replace("dye: beads", "dye: actin"), encoding="utf-8")
    with pytest.raises(ScenarioError, match="found dye 'actin' in channel 'beads', expected one of beads"):
        load_scenario(path)
    with pytest.raises(ScenarioError, match="expected one of bacteria, dividing-cells"):
        load_scenario("yeast")
    with pytest.raises(ScenarioError, match="cannot read"):
        load_scenario(tmp_path / "none.yaml")
    path.write_text("- 1\n- 2\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="line 1"):
        load_scenario(path)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["schema", "sample", "cells", "name", "channels", "a"]), inner, max_size=4
            )
        ),
        max_leaves=8,
    )
)
def test_whatever_a_file_holds_is_refused_in_a_sentence(content: object) -> None:
    from io import StringIO
    from tempfile import TemporaryDirectory

    from ruamel.yaml import YAML

    text = StringIO()
    YAML(typ="safe", pure=True).dump(content, text)
    with TemporaryDirectory() as folder:
        path = Path(folder, "any.yaml")
        path.write_text(text.getvalue(), encoding="utf-8")
        with pytest.raises(ScenarioError):
            read_scenario(path)
