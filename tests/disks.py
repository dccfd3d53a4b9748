"""Real disks for tests: small, slow, failing and vanishing ones, where this machine lets them be mounted."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

BLKIO = Path("/sys/fs/cgroup/blkio")


def run(*words: object) -> str:
    """Run a command, or skip the test with what it says: disks can be mounted by root on Linux alone."""
    if os.name == "nt" or shutil.which(str(words[0])) is None:
        pytest.skip(f"{words[0]} is not here: no disk can be mounted")
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here ({done.stderr.strip()})")
    return done.stdout


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A disk of so many megabytes in memory."""
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


@dataclass(frozen=True)
class Disk:
    """ext4 in a file, on a block device of its own."""

    place: Path
    image: Path
    device: str

    def fail(self) -> None:
        """Let the file system find an error: it can only be read from then on."""
        Path(f"/sys/fs/ext4/{Path(self.device).name}/trigger_fs_error").write_text("1")

    def vanish(self) -> None:
        """Take the disk away, whoever uses it."""
        subprocess.run(["umount", "-l", str(self.place)], check=True)

    def come_back(self) -> None:
        """Connect it again, when nobody uses it any more: not before all processes have let it go."""
        for _ in range(600):
            if not Path(f"/sys/block/{Path(self.device).name}/loop/backing_file").exists():
                break
            time.sleep(0.1)
        run("mount", "-o", "loop", self.image, self.place)

    @contextlib.contextmanager
    def slowed(self, pid: int, bytes_per_s: int) -> Iterator[Path]:
        """Let a process write to it so slowly; where the numbers of it stand."""
        group = BLKIO / f"onscope-{pid}"
        if not (BLKIO / "blkio.throttle.write_bps_device").exists():
            pytest.skip("the speed of disks cannot be limited here")
        try:
            group.mkdir()
            numbers = os.stat(self.device).st_rdev
            limit = f"{os.major(numbers)}:{os.minor(numbers)} {bytes_per_s}"
            (group / "blkio.throttle.write_bps_device").write_text(limit)
            (group / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            pytest.skip(f"the speed of disks cannot be limited here ({error})")
        try:
            yield group / "blkio.throttle.io_service_bytes"
        finally:
            with contextlib.suppress(OSError):
                (BLKIO / "cgroup.procs").write_text(str(pid))
            with contextlib.suppress(OSError):
                group.rmdir()


@contextlib.contextmanager
def block_disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """A disk of its own of so many megabytes."""
    image, place = folder / "disk.img", folder / "disk"
    with open(image, "wb") as file:
        file.truncate(megabytes << 20)
    run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
    place.mkdir()
    run("mount", "-o", "loop,errors=remount-ro", image, place)
    device = run("findmnt", "-n", "-o", "SOURCE", place).strip()
    try:
        yield Disk(place, image, device)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)
