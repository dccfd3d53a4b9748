"""Structured tables by their columns, as files and other programs have them."""

from __future__ import annotations

from typing import Any

import numpy as np


def structured_columns(table: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a structured array by name; a field of k numbers becomes name_0 ... name_(k-1)."""
    if table.dtype.names is None:
        return {"value": table.reshape(-1)}
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for name in table.dtype.names:
        column = table[name]
        if column.ndim == 1:
            columns[name] = column
        else:
            flat = column.reshape(len(table), int(np.prod(column.shape[1:])))
            columns.update({f"{name}_{k}": flat[:, k] for k in range(flat.shape[1])})
    return columns
