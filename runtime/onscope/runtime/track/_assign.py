"""The assignment problem on few pairs of many: which links together cost least."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

AT_ONCE = 256
"""Pairs that are solved together. The solver's time grows with their square, each call costs some 0.2 ms."""


def assign(rows: Indices, columns: Indices, costs: Floats, unlinked: float) -> Indices:
    """Which of the pairs (rows[k], columns[k]) to link, as rising k, so that the sum over all costs is least.

    A row or column has one link at most; a link costs `costs[k]`, an end and a beginning instead of it `unlinked`
    together. Pairs that are not named cannot be linked. This is the problem of K. Jaqaman et al., Nature Methods 5,
    695 (2008), where each row and column has a column or row of its own for the case without a link: whatever the
    costs of these are, only the sum of both counts. Pairs that compete with no other are decided at once, the others in
    groups that share no row or column.
    """
    worth = np.flatnonzero(costs < unlinked)
    if not len(worth):
        return worth
    _, row = np.unique(rows[worth], return_inverse=True)
    _, column = np.unique(columns[worth], return_inverse=True)
    alone = (np.bincount(row)[row] == 1) & (np.bincount(column)[column] == 1)
    linked = [worth[alone]]
    rivals = np.flatnonzero(~alone)
    if len(rivals):
        for group in _groups(row[rivals], column[rivals]):
            part = rivals[group]
            linked.append(worth[part[_solve(row[part], column[part], costs[worth[part]], unlinked)]])
    return np.sort(np.concatenate(linked))


def _groups(row: Indices, column: Indices) -> list[Indices]:
    """Pairs in groups of about AT_ONCE, such that pairs with a common row or column are in the same."""
    if len(row) <= AT_ONCE:
        return [np.arange(len(row))]
    size = int(row.max()) + 1
    nodes = size + int(column.max()) + 1
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, size + column)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component[row], kind="stable")
    of = component[row[order]]
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    group = np.repeat(starts, np.diff(np.r_[starts, len(of)])) // AT_ONCE
    return np.split(order, np.flatnonzero(np.diff(group)) + 1)


def _solve(rows: Indices, columns: Indices, costs: Floats, unlinked: float) -> Any:
    """The pairs to link, of those of one group. Each row has a column of its own for the case without a link."""
    _, row = np.unique(rows, return_inverse=True)
    _, column = np.unique(columns, return_inverse=True)
    height, width = int(row.max()) + 1, int(column.max()) + 1
    above_zero = 1.0 - min(0.0, float(costs.min()))  # the solver takes a 0 for a pair that is not there
    own = np.arange(height)
    weights = np.concatenate([costs, np.full(height, unlinked)]) + above_zero
    places = np.concatenate([row, own]), np.concatenate([column, width + own])
    taken, by = min_weight_full_bipartite_matching(csr_matrix((weights, places), shape=(height, width + height)))
    chosen = np.full(height, -1)
    chosen[taken] = by
    return chosen[row] == column
