"""Tables and outlines in other programs' formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from hypothesis import given, settings

from onscope.runtime import RecordError
from onscope.runtime.objects import measure, outlines, polygons, to_pandas, write_geojson, write_table

from .images import Labels, ellipses, label_images

Table = np.ndarray[Any, Any]


@pytest.fixture
def cells() -> Table:
    labels = ellipses(80, 12, seed=4)
    return measure(labels, {"frame": labels.astype(np.uint16)}, 0.2)


def test_parquet_has_the_columns_with_their_types(cells: Table, tmp_path: Path) -> None:
    write_table(tmp_path / "cells.parquet", cells)
    read = pa.parquet.read_table(tmp_path / "cells.parquet")
    assert tuple(read.column_names) == cells.dtype.names
    for name in read.column_names:
        column = read[name].to_numpy()
        assert column.dtype == cells.dtype[name]
        np.testing.assert_array_equal(column, cells[name])
    assert [path.name for path in tmp_path.iterdir()] == ["cells.parquet"]


def test_csv_says_the_same(cells: Table, tmp_path: Path) -> None:
    write_table(str(tmp_path / "cells.csv"), cells)
    read = pa.csv.read_csv(tmp_path / "cells.csv")
    assert tuple(read.column_names) == cells.dtype.names
    for name in read.column_names:
        np.testing.assert_allclose(read[name].to_numpy(), cells[name], rtol=1e-6)


def test_a_data_frame_has_the_columns_with_their_types(cells: Table) -> None:
    frame = to_pandas(cells)
    assert tuple(frame.columns) == cells.dtype.names
    assert all(frame[name].dtype == cells.dtype[name] for name in frame)
    assert frame["area"].sum() == cells["area"].sum()
    assert len(to_pandas(cells[:0])) == 0


def test_fields_of_several_numbers_are_several_columns() -> None:
    table = np.array([(1, (2, 3)), (4, (5, 6))], [("label", "int32"), ("appearance", "float32", (2,))])
    assert to_pandas(table).to_dict("list") == {"label": [1, 4], "appearance_0": [2, 5], "appearance_1": [3, 6]}


def test_tables_of_recordings_are_tables(cells: Table, tmp_path: Path) -> None:
    recorded = pa.table({name: cells[name] for name in cells.dtype.names} | {"camera": ["cam"] * len(cells)})
    write_table(tmp_path / "again.parquet", recorded)
    assert pa.parquet.read_table(tmp_path / "again.parquet").equals(recorded)
    assert list(to_pandas(recorded)["camera"]) == ["cam"] * len(cells)
    write_geojson(tmp_path / "points.geojson", table=recorded)
    (first, *_) = json.loads((tmp_path / "points.geojson").read_text())["features"]
    assert first["properties"]["measurements"]["area"] == cells["area"][0]


def test_a_table_that_is_written_again_is_replaced_or_stays(cells: Table, tmp_path: Path) -> None:
    path = tmp_path / "cells.csv"
    write_table(path, cells)
    write_table(path, cells[:1])
    assert len(path.read_text().splitlines()) == 2
    with pytest.raises(RecordError, match="expected a structured array"):
        write_table(path, {"area": [1]})
    assert len(path.read_text().splitlines()) == 2


def test_what_cannot_be_written_is_a_sentence(cells: Table, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"found the suffix '.xlsx'.*expected .parquet or .csv"):
        write_table(tmp_path / "cells.xlsx", cells)
    with pytest.raises(RecordError, match=r"cells.parquet could not be written.*choose a folder"):
        write_table(tmp_path / "nowhere" / "cells.parquet", cells)
    with pytest.raises(RecordError, match=r"could not be written"):
        write_geojson(tmp_path / "nowhere" / "cells.geojson", table=cells)


def read(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text())
    assert content["type"] == "FeatureCollection"
    assert all(each["type"] == "Feature" for each in content["features"])
    features: list[dict[str, Any]] = content["features"]
    return features


def test_features_are_those_that_qupath_reads(tmp_path: Path) -> None:
    labels = np.zeros((7, 8), np.int32)
    labels[2:4, 2:6], labels[6, 7] = 4, 9
    table = measure(labels, pixel_size_um=0.5)
    classed = np.zeros(2, [*table.dtype.descr, ("class", "float32")])
    for name in table.dtype.names or ():
        classed[name] = table[name]
    classed["class"] = [1, 0]
    path = tmp_path / "cells.geojson"
    write_geojson(path, labels, classed, classes=["interphase", "mitosis"], t=3)
    first, second = read(path)
    assert first["geometry"] == {  # x and y from the image's corner, counterclockwise in these numbers, closed
        "type": "Polygon",
        "coordinates": [[[2, 2], [6, 2], [6, 4], [2, 4], [2, 2]]],
        "plane": {"c": -1, "z": 0, "t": 3},
    }
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["name"] == "4"
    assert first["properties"]["classification"] == {"name": "mitosis"}
    assert first["properties"]["measurements"]["area_um2"] == 2
    assert first["properties"]["measurements"]["touches_border"] == 0
    assert "class" not in first["properties"]["measurements"]
    assert second["properties"]["classification"] == {"name": "interphase"}
    assert second["properties"]["measurements"]["touches_border"] == 1


def test_numbers_that_are_none_are_left_out(tmp_path: Path) -> None:
    labels = ellipses(40, 4)
    write_geojson(tmp_path / "a.geojson", labels, measure(labels))
    (first, *_) = read(tmp_path / "a.geojson")
    assert "area" in first["properties"]["measurements"]
    assert "area_um2" not in first["properties"]["measurements"]


@given(label_images(largest=10))
@settings(max_examples=50, deadline=None)
def test_any_labels_become_polygons(tmp_path_factory: pytest.TempPathFactory, labels: Labels) -> None:
    path = tmp_path_factory.mktemp("geojson") / "a.geojson"
    write_geojson(path, labels)
    features = read(path)
    write_geojson(path, outlines(labels))
    assert read(path) == features
    names = [each["properties"]["name"] for each in features]
    assert names == [str(label) for label in np.unique(labels) if label]
    for feature in features:
        geometry = feature["geometry"]
        parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        for part in parts:
            for ring in part:
                assert ring[0] == ring[-1]
                assert all(0 <= x <= labels.shape[1] and 0 <= y <= labels.shape[0] for x, y in ring)


def test_polygons_of_one_s_own_are_features(tmp_path: Path) -> None:
    write_geojson(tmp_path / "a.geojson", polygons(ellipses(40, 4)), kind="annotation")
    assert [each["properties"]["objectType"] for each in read(tmp_path / "a.geojson")] == ["annotation"] * 4


def test_rows_without_outlines_are_points(tmp_path: Path) -> None:
    spots = np.array([(1.5, 2, 0.9)], [("y", "float32"), ("x", "float32"), ("score", "float32")])
    write_geojson(tmp_path / "spots.geojson", table=spots)
    (spot,) = read(tmp_path / "spots.geojson")
    assert spot["geometry"] == {"type": "Point", "coordinates": [2.5, 2]}
    assert spot["properties"]["measurements"]["score"] == pytest.approx(0.9)


def test_parts_that_do_not_fit_together_are_refused(cells: Table, tmp_path: Path) -> None:
    path, labels = tmp_path / "a.geojson", ellipses(80, 12, seed=4)
    spots = np.zeros(1, [("score", "float32")])
    for arguments, words in (
        ((labels, spots), "expected one named label"),
        ((labels, np.concatenate([cells, cells])), "24 rows for 12 labels"),
        ((None, spots), "expected y and x"),
        ((None, None), "columns of none"),
        ((labels, [1, 2]), "found list as a table"),
    ):
        with pytest.raises(RecordError, match=words):
            write_geojson(path, *arguments)
    with pytest.raises(RecordError, match="type of object 'nucleus'"):
        write_geojson(path, labels, kind="nucleus")
    classed = np.zeros(1, [("label", "int32"), ("class", "int32")])
    classed["label"], classed["class"] = 1, 2
    with pytest.raises(RecordError, match="found the class 2, expected 0 to 1"):
        write_geojson(path, labels, classed, classes=["a", "b"])
    assert not path.exists()
