"""Shared memory: leases end by themselves, nothing is read after it was given back, nothing stays behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import FrameSpec, WorkerError
from onscope.runtime._ring import Ring, SlotPool
from onscope.runtime._shm import SYSTEM_FOLDER, SharedSlots, remove_leftovers


def test_the_attached_side_sees_what_the_owner_writes() -> None:
    owner = SharedSlots.create(100, 3)
    other = SharedSlots.attach(owner.name, owner.slot_bytes, owner.slots)
    for slot in range(3):
        owner.view(slot, (5, 5), "float32")[:] = slot
    assert [other.view(slot, (5, 5), "float32")[4, 4] for slot in range(3)] == [0, 1, 2]
    other.close()
    owner.close()


def test_an_attached_process_leaves_the_segment_to_its_owner() -> None:
    owner = SharedSlots.create(64, 1)
    code = (
        "from onscope.runtime._shm import SharedSlots\n"
        f"SharedSlots.attach({owner.name!r}, 64, 1).view(0, (1,), 'uint8')[0] = 7"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert SharedSlots.attach(owner.name, 64, 1).view(0, (1,), "uint8")[0] == 7
    owner.close()


def test_a_lent_slot_comes_back_with_the_last_array_made_from_it() -> None:
    pool = SlotPool(SharedSlots.create(64, 2), lendable=1)
    slot = pool.take()
    lease = pool.lend(slot)
    assert lease is not None
    corner = lease.array((4, 4), "uint8")[2:, 2:]
    del lease
    gc.collect()
    assert pool.free == 1, "a slice still shows the slot"
    assert not corner.flags.writeable
    del corner
    gc.collect()
    assert pool.free == 2
    pool.close()


def test_no_more_is_lent_than_agreed() -> None:
    pool = SlotPool(SharedSlots.create(64, 3), lendable=1)
    first, second = pool.take(), pool.take()
    kept = pool.lend(first)
    assert pool.lend(second) is None
    del kept
    assert pool.lend(second) is not None
    pool.close()


def test_arrays_outlive_the_segment() -> None:
    ring = Ring(FrameSpec((8, 8)), slots=2, lendable=2)
    slot = ring.take()
    ring.views[slot][:] = 42
    lease = ring.lend(slot)
    assert lease is not None
    array = lease.array((8, 8), "uint16")
    del lease
    name = ring.memory.name
    ring.close()
    assert not (SYSTEM_FOLDER / name).exists()
    assert np.all(array == 42)


def test_too_little_shared_memory_is_a_sentence() -> None:
    with pytest.raises(WorkerError, match="MB of free shared memory, expected"):
        SharedSlots.create(1 << 40, 4)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux lists shared memory")
def test_leftovers_of_the_dead_are_removed_and_those_of_the_living_are_not() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    orphan = Path(SYSTEM_FOLDER, f"onscope-{dead.pid}-0badcafe")
    orphan.write_bytes(b"x")
    own = SharedSlots.create(64, 1)
    assert remove_leftovers() == [orphan.name]
    assert Path(SYSTEM_FOLDER, own.name).exists()
    assert len(own.name) <= 30
    assert str(os.getpid()) in own.name
    own.close()
