from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pytest
import tifffile

from onscope.runtime import RecordError
from onscope.runtime.track import (
    Tracker,
    Tracks,
    TrackSettings,
    links,
    napari_tracks,
    smooth,
    tracks_from,
    trees,
    write_ctc,
    write_napari,
    write_trackmate,
)

from .made import objects, tracked


def labelled(places: Any, radius: int = 3) -> Any:
    """A label image of squares, and their table."""
    image = np.zeros((64, 80), dtype=np.int32)
    for number, (y, x) in enumerate(places, start=1):
        image[y - radius : y + radius + 1, x - radius : x + radius + 1] = number
    return image, objects(places, label=np.arange(1, len(places) + 1), area=(2 * radius + 1) ** 2)


PLACES: list[list[tuple[int, int]]] = [
    [(20, 20), (40, 60)],
    [(40, 61), (21, 20)],
    [(21, 20)],
    [(21, 16), (21, 24), (41, 61)],
    [(21, 14), (21, 26), (42, 61)],
    [],
]
"""One divides in frame 3, the other is missing in frame 2."""


@pytest.fixture
def made() -> tuple[list[Any], Tracks]:
    frames = [labelled(places) for places in PLACES]
    tables = [table for _, table in frames]
    told = tracked(tables, max_distance=8, gap=1, divisions=True)
    return [image for image, _ in frames], tracks_from(told, tables, pixel_size_um=0.5, interval_s=2.0)


def test_the_table_is_in_the_order_of_tracks(made: Any) -> None:
    _, tracks = made
    assert tracks.track.tolist() == [1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4]
    assert tracks.frame.tolist() == [0, 1, 2, 0, 1, 3, 4, 3, 4, 3, 4]
    assert tracks.parent.tolist() == [0] * 7 + [1] * 4
    assert tracks.label.tolist() == [1, 2, 1, 2, 1, 3, 3, 1, 1, 2, 2]
    assert tracks.frames == 6
    assert trees(tracks).tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert sorted(map(tuple, links(tracks).tolist())) == [
        (0, 1), (1, 2), (2, 7), (2, 9), (3, 4), (4, 5), (5, 6), (7, 8), (9, 10),
    ]  # fmt: skip
    daughters = tracks.only(tracks.track > 2)
    assert daughters.parent.tolist() == [0] * 4
    with pytest.raises(ValueError, match="twice in a frame"):
        tracks_from([np.repeat(tracker_row(), 2)])


def tracker_row() -> Any:
    return Tracker(TrackSettings(max_distance=1)).update(0, objects([(0, 0)]))


def test_ctc_masks_hold_the_numbers_of_the_text(made: Any, tmp_path: Path) -> None:
    images, tracks = made
    folder = write_ctc(tmp_path / "ctc", tracks, images.__getitem__)
    assert (folder / "res_track.txt").read_text().splitlines() == [
        "1 0 2 0",
        "2 0 1 0",
        "3 3 4 2",  # after the gap
        "4 3 4 1",
        "5 3 4 1",
    ]
    masks = [tifffile.imread(folder / f"mask{n:03d}.tif") for n in range(6)]
    assert all(mask.dtype == np.uint16 for mask in masks)
    for mask, image in zip(masks, images, strict=True):
        np.testing.assert_array_equal(mask > 0, image > 0)
    assert masks[3][21, 16] == 4
    assert masks[3][41, 61] == 3
    assert masks[1][40, 61] == 2
    with pytest.raises(RecordError, match="choose a new folder"):
        write_ctc(folder, tracks, images.__getitem__)
    with pytest.raises(RecordError, match="no pixel of it"):
        write_ctc(tmp_path / "other", tracks, images[::-1].__getitem__)


def test_ctc_of_points_draws_discs_of_which_none_is_covered(made: Any, tmp_path: Path) -> None:
    places = [[(5, 5), (5, 6), (30.4, 30)], [(5.2, 5), (5.1, 5.1), (70, -3)]]  # two in one pixel, one outside
    tracks = tracks_from(tracked(places, max_distance=4))
    folder = write_ctc(tmp_path / "ctc", tracks, shape=(40, 50), radius=3)
    lines = [list(map(int, line.split())) for line in (folder / "res_track.txt").read_text().splitlines()]
    for frame in range(2):
        mask = tifffile.imread(folder / f"mask{frame:03d}.tif")
        assert {n for n, begin, end, _ in lines if begin <= frame <= end} == set(np.unique(mask).tolist()) - {0}
    with pytest.raises(RecordError, match="say how large"):
        write_ctc(tmp_path / "other", tracks)


def test_ctc_is_what_the_challenges_own_checks_accept(made: Any, tmp_path: Path) -> None:
    loaders = pytest.importorskip("traccuracy.loaders")
    images, tracks = made
    tracks = tracks.only(tracks.frame < 5)
    folder = write_ctc(tmp_path / "ctc", tracks, images.__getitem__)
    for path in folder.glob("mask005.tif"):
        path.unlink()  # its loader cannot do with a last frame without objects
    read = loaders.load_ctc_data(str(folder), str(folder / "res_track.txt"))
    assert read.graph.number_of_nodes() == len(tracks)
    assert read.graph.number_of_edges() == len(links(tracks))


def test_napari_gets_tracks_and_their_mothers(made: Any, tmp_path: Path) -> None:
    _, tracks = made
    data, graph, features = napari_tracks(tracks)
    assert data[3].tolist() == [2, 0, 40, 60]
    assert graph == {3: [1], 4: [1]}
    assert features["age"].tolist() == [0, 1, 2, 0, 1, 3, 4, 0, 1, 0, 1]
    table, beside = write_napari(tmp_path / "tracks.csv", tracks)
    back = np.genfromtxt(table, delimiter=",", names=True)
    np.testing.assert_allclose(np.stack([back[name] for name in ("track", "frame", "y", "x")], axis=1), data)
    np.testing.assert_allclose(back["area"], 49)
    assert {int(k): v for k, v in json.loads(beside.read_text()).items()} == graph
    with pytest.raises(RecordError, match="choose a new name"):
        write_napari(tmp_path / "tracks.csv", tracks)


def test_trackmate_has_spots_edges_and_families(made: Any, tmp_path: Path) -> None:
    _, tracks = made
    square = np.array([(19.0, 19.0), (19.0, 21.0), (21.0, 21.0), (21.0, 19.0)])
    path = write_trackmate(
        tmp_path / "tracks.xml", tracks, shape=(64, 80), polygons=lambda frame: {1: square} if frame == 0 else {}
    )
    root = ET.parse(path).getroot()
    spots = {int(spot.attrib["ID"]): spot for spot in root.iter("Spot")}
    assert len(spots) == len(tracks)
    assert [float(spots[3].attrib[name]) for name in ("POSITION_Y", "POSITION_X", "POSITION_T")] == [20, 30, 0]
    assert float(spots[3].attrib["RADIUS"]) == pytest.approx(0.5 * np.sqrt(49 / np.pi))
    assert spots[0].attrib["ROI_N_POINTS"] == "4"
    assert spots[0].text == "-0.5 -0.5 0.5 -0.5 0.5 0.5 -0.5 0.5"
    edges = [
        [(int(edge.attrib["SPOT_SOURCE_ID"]), int(edge.attrib["SPOT_TARGET_ID"])) for edge in track]
        for track in root.iter("Track")
    ]
    assert [sorted(part) for part in edges] == [
        [(0, 1), (1, 2), (2, 7), (2, 9), (7, 8), (9, 10)],
        [(3, 4), (4, 5), (5, 6)],
    ]
    declared = {each.attrib["feature"] for each in root.iter("Feature")}
    for element in (*root.iter("Spot"), *root.iter("Edge"), *root.iter("Track")):
        assert set(element.attrib) <= declared | {"ID", "name", "ROI_N_POINTS"}
    image = root.find("Settings/ImageData")
    assert image is not None
    assert (image.attrib["width"], image.attrib["height"], image.attrib["nframes"]) == ("80", "64", "6")
    with pytest.raises(RecordError, match="choose a new name"):
        write_trackmate(path, tracks)


def test_a_reader_of_trackmates_files_finds_the_same_graph(made: Any, tmp_path: Path) -> None:
    reader = pytest.importorskip("geff.convert._trackmate_xml")
    geff = pytest.importorskip("geff")
    _, tracks = made
    path = write_trackmate(tmp_path / "tracks.xml", tracks, shape=(64, 80))
    reader.from_trackmate_xml_to_geff(path, tmp_path / "tracks.geff")
    graph, _ = geff.read(tmp_path / "tracks.geff", backend="networkx")
    assert graph.number_of_nodes() == len(tracks)
    assert {tuple(sorted(edge)) for edge in graph.edges} == {tuple(edge) for edge in links(tracks).tolist()}
    assert nx.number_weakly_connected_components(graph) == 2
    for row, node in graph.nodes(data=True):
        assert node["FRAME"] == tracks.frame[row]
        assert node["POSITION_X"] == tracks.x[row] * 0.5


def test_columns_of_any_name_and_numbers_that_are_none_leave_a_file_that_can_be_read(tmp_path: Path) -> None:
    table = objects([(1, 1), (2, 2)], **{"intensity_mean_Käfer 1": [1.0, 2.0], "width": [1.0, np.nan]})
    tracks = tracks_from(tracked([table], max_distance=1), [table])
    root = ET.parse(write_trackmate(tmp_path / "tracks.xml", tracks)).getroot()
    spots = [spot.attrib for spot in root.iter("Spot")]
    assert [float(spot["ONSCOPE_INTENSITY_MEAN_K_FER_1"]) for spot in spots] == [1, 2]
    assert not any("WIDTH" in name for name in spots[0])


def test_nothing_can_be_written_too(tmp_path: Path) -> None:
    tracks = tracks_from(tracked([[], []], max_distance=1))
    write_trackmate(tmp_path / "none.xml", tracks)
    write_napari(tmp_path / "none.csv", tracks)
    write_ctc(tmp_path / "none", tracks, shape=(4, 4))
    assert (tmp_path / "none" / "res_track.txt").read_text() == ""
    assert smooth(tracks)[0].shape == (0, 2)


@pytest.mark.parametrize("lag", [0, 1, 3, None])
def test_smoothing_is_the_most_likely_way(lag: int | None) -> None:
    rng = np.random.default_rng(3)
    frames = np.array([0, 1, 2, 4, 5, 6, 9, 10])
    ways = {1: np.cumsum(rng.normal(2, 1, (8, 2)), axis=0), 5: rng.normal(50, 3, (3, 2))}
    told = [np.zeros(0, tracker_row().dtype) for _ in range(11)]
    for track, way in ways.items():
        for frame, (y, x) in zip(frames, way, strict=False):
            row = tracker_row()
            row["track"], row["y"], row["x"] = track, y, x
            told[frame] = np.concatenate([told[frame], row])
    tracks = tracks_from(told)
    places, speeds = smooth(tracks, lag, position_noise=0.7, speed_noise=0.4)
    for track, way in ways.items():
        rows = np.flatnonzero(tracks.track == track)
        for k, row in enumerate(rows):
            last = len(way) if lag is None else min(len(way), k + lag + 1)
            place, speed = most_likely(frames[:last], way[:last], k, 0.7, 0.4)
            np.testing.assert_allclose(places[row], place, atol=1e-5)
            np.testing.assert_allclose(speeds[row], speed, atol=1e-5)


def most_likely(frames: Any, way: Any, k: int, place: float, noise: float) -> Any:
    """The state at row k by least squares over all states at once: the slow, obvious way."""
    n = len(frames)
    precision, right = np.zeros((2 * n, 2 * n)), np.zeros((2 * n, 2))
    precision[1, 1] = 1 / 1e6
    for row in range(n):
        precision[2 * row, 2 * row] += 1 / place**2
        right[2 * row] += way[row] / place**2
    for row in range(n - 1):
        t = float(frames[row + 1] - frames[row])
        inverse = np.linalg.inv(noise**2 * np.array([[t**3 / 3, t**2 / 2], [t**2 / 2, t]]))
        part = np.concatenate([-np.array([[1, t], [0, 1]]), np.eye(2)], axis=1)
        at = slice(2 * row, 2 * row + 4)
        precision[at, at] += part.T @ inverse @ part
    state = np.linalg.solve(precision, right)
    return state[2 * k], state[2 * k + 1]


def test_smoothing_refuses_what_has_no_meaning() -> None:
    tracks = tracks_from(tracked([[(0, 0)]], max_distance=1))
    for wrong in ({"lag": -1}, {"position_noise": 0.0}, {"speed_noise": -1.0}):
        with pytest.raises(ValueError, match="expected a lag"):
            smooth(tracks, **wrong)
