"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

# The tests start some hundred processes: where bytecode is not kept each of them would compile all of onscope anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A shell that runs something in the background has it ignore Ctrl-C, which some tests send to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images; tests that use it are marked `real_data`."""
    folder = Path(os.environ.get("ONSCOPE_SHARED_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real images are missing: {folder} is no folder (set ONSCOPE_SHARED_DATA)")
    return folder


@pytest.fixture(scope="session")
def box_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a box on loopback that runs networks in worker processes of its own."""
    from tests.boxes import Running

    box = Running(tmp_path_factory.mktemp("box"), most=64)
    yield box.address
    box.stop()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compiled graphs of the tests, apart from this user's; worker processes inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("ONSCOPE_CACHE", str(folder))
        yield folder
