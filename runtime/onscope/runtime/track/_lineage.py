"""Tracks as a graph: their links, pieces without gaps, and family trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ._table import Tracks

Integers = npt.NDArray[np.int64]


def links(tracks: Tracks) -> Integers:
    """All links as (k, 2) rows of the table, earlier first: within tracks, and from mothers' last rows to daughters."""
    begins = tracks.begins
    later = np.flatnonzero(~begins)
    born = np.flatnonzero(begins & (tracks.parent > 0))
    ends = np.r_[begins[1:], True][: len(tracks)]
    last_rows = np.flatnonzero(ends)  # in the order of track ids, for the table is
    mothers = last_rows[np.searchsorted(tracks.track[last_rows], tracks.parent[born])] if len(born) else born
    return np.concatenate([np.stack([later - 1, later], axis=1), np.stack([mothers, born], axis=1)])


def trees(tracks: Tracks) -> Integers:
    """The number of each row's family, from 0 on in the order of their first tracks: what is linked is one family."""
    linked = links(tracks)
    graph = coo_matrix((np.ones(len(linked), dtype=np.int8), tuple(linked.T)), shape=(len(tracks), len(tracks)))
    _, family = connected_components(graph, directed=False)
    _, first, inverse = np.unique(family, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Tracks cut where they have gaps.

    `of_row` is each row's piece, from 1 on; of each piece its first and last frame, and the piece before it (of the
    same track before the gap, or the mother's last one; 0: none).
    """

    of_row: Integers
    begin: Integers
    end: Integers
    parent: Integers


def pieces(tracks: Tracks) -> Pieces:
    """The pieces of all tracks, in the order of the table."""
    starts = tracks.begins | np.r_[True, np.diff(tracks.frame) != 1][: len(tracks)]
    of_row = np.cumsum(starts)
    first = np.flatnonzero(starts)
    last = np.r_[first[1:] - 1, len(tracks) - 1][: len(first)]
    parent = np.zeros(len(tracks), dtype=np.int64)
    linked = links(tracks)
    parent[linked[:, 1]] = of_row[linked[:, 0]]
    return Pieces(of_row, tracks.frame[first], tracks.frame[last], parent[first])
