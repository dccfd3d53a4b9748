"""Outlines, boxes, spots and tails in raw pixels."""

from __future__ import annotations

import numpy as np

from onscope.view.server._vectors import MOST_ROWS, TAIL, Histories, boxes, columns, outlines, spots, tails

CELLS = np.dtype([("label", "<i4"), ("y", "<f8"), ("x", "<f8")])
TRACKS = np.dtype([("track", "<i8"), ("y", "<f8"), ("x", "<f8")])


def test_outlines_are_edges_of_pixels_and_know_their_rows() -> None:
    labels = np.zeros((10, 12), np.int32)
    labels[2:5, 3:7], labels[6:8, 1:3], labels[9, 9] = 5, 9, 11
    table = np.array([(9, 6.5, 1.5), (5, 3, 4.5)], CELLS)  # 11 has no row
    drawn = outlines(labels, table, 1.0)
    assert drawn.starts is not None
    assert drawn.rows is not None
    assert sorted(drawn.rows.tolist()) == [0, 1]
    for at, row in enumerate(drawn.rows):
        ring = drawn.points[drawn.starts[at] : drawn.starts[at + 1]]
        ends = [*ring.min(axis=0), *ring.max(axis=0)]
        assert ends == ([6, 1, 8, 3] if row == 0 else [2, 3, 5, 7])
    assert outlines(labels, table, 2.0).points.max() == drawn.points.max() / 2
    assert len(outlines(np.zeros((4, 4), np.int32), table, 1.0).points) == 0


def test_boxes_and_spots_are_half_a_pixel_from_the_tables() -> None:
    table = np.array([(0.0, 1.0, 2.0, 3.0)], [(name, "<f8") for name in ("y0", "x0", "y1", "x1")])
    assert boxes(table).points.tolist() == [[0.5, 1.5, 2.5, 3.5]]
    edges = table.astype([(name, "<i4") for name in ("y0", "x0", "y1", "x1")])
    assert boxes(edges).points.tolist() == [[0, 1, 2, 3]]
    assert spots(np.array([(1, 2.0, 3.0)], CELLS)).points.tolist() == [[2.5, 3.5]]
    many = np.zeros(MOST_ROWS + 5, CELLS)
    assert len(spots(many).points) == len(columns(many)["y"]) == MOST_ROWS


def test_tails_are_the_last_places_of_those_that_are_there() -> None:
    histories = Histories(3)
    for at in range(30):
        table = np.array([(2, 50.0 + at, 1.0), (1, at, 0.0), *([(3, 7.0, 7.0)] if at < 28 else [])], TRACKS)
        history = histories.add("place", 0, at, {"tracks": table, "cells": np.zeros(2, CELLS)})
    assert history.keys() == {"tracks"}
    drawn = tails(history["tracks"], table)
    assert drawn.starts is not None
    assert drawn.rows is not None
    assert drawn.starts.tolist() == [0, TAIL, 2 * TAIL]
    assert drawn.rows.tolist() == [1, 0]
    assert drawn.points[:TAIL, 0].tolist() == [at + 0.5 for at in range(10, 30)]
    assert drawn.points[TAIL - 1].tolist() == [29.5, 0.5]
    for sequence, number in ((0, 29), (1, 30)):  # the same frame again, as a recording can show it, and another segment
        begun = histories.add("place", sequence, number, {"tracks": table})
        assert len(tails(begun["tracks"], table).points) == 2


def test_histories_are_bounded_in_places() -> None:
    histories = Histories(3)
    table = np.array([(1, 1.0, 1.0)], TRACKS)
    for place in range(4):
        histories.add(place, 0, 0, {"tracks": table})
    assert len(histories.add(3, 0, 1, {"tracks": table})["tracks"]) == 2
    assert len(histories.add(0, 0, 1, {"tracks": table})["tracks"]) == 1
