"""Workers of Dask that the tests of this room share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="package")
def client() -> Iterator[Any]:
    """Two worker processes on this machine."""
    pytest.importorskip("distributed")
    from distributed import Client

    from onscope.runtime.reprocess import local_cluster

    with local_cluster(2) as cluster, Client(cluster, set_as_default=False) as client:
        yield client
