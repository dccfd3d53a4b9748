"""Checks every file of this bundle against its hash and installs onscope from it, without internet.

    python install.py [FOLDER] [--list-sha256 HASH] [--check]

FOLDER is where the environment is made (`onscope` in the current folder). HASH is the sha256 of SHA256SUMS as whoever
made the bundle told it. Nothing but Python itself is needed. Exit code 0, or 1 and what is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = "SHA256SUMS"


def main() -> None:
    words = argparse.ArgumentParser(description="Check this bundle and install onscope from it, without internet.")
    words.add_argument("folder", nargs="?", default="onscope", help="where the environment is made")
    words.add_argument("--list-sha256", default="", help=f"sha256 of {LIST}, as it was told")
    words.add_argument("--check", action="store_true", help="check the files, and install nothing")
    asked = words.parse_args()
    files = check(asked.list_sha256)
    print(f"{files} files are as they were made")
    if asked.check:
        return
    require_machine()
    folder = Path(asked.folder).resolve()
    if folder.exists() and any(folder.iterdir()):
        stop(f"found something in {folder}, expected a new folder: name another one")
    install(folder)


def check(told: str) -> int:
    """Whether each file is there and as listed, and none beside them; returns how many."""
    listed = (HERE / LIST).read_bytes()
    found = hashlib.sha256(listed).hexdigest()
    if told and told.lower() != found:
        stop(f"found {LIST} with the sha256 {found}, expected {told.lower()}: this is another bundle, or a changed one")
    hashes = {}
    for line in listed.decode().splitlines():
        digest, _, name = line.partition("  ")
        hashes[name] = digest
    there = {path.relative_to(HERE).as_posix() for path in HERE.rglob("*") if path.is_file() or path.is_symlink()}
    wrong = [f"{name} is not in the list" for name in sorted(there - hashes.keys() - {LIST})]
    for name, digest in hashes.items():
        if name not in there:
            wrong.append(f"{name} is missing")
        elif sha256(HERE / name) != digest:
            wrong.append(f"{name} is not as it was made")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        stop(f"{'; '.join(wrong[:5])}{more}: copy the bundle again")
    return len(hashes)


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def require_machine() -> None:
    """Stop on a machine or with a Python that the wheels are not for."""
    made = json.loads((HERE / "bundle.json").read_text(encoding="utf-8"))
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    here = {"python": python, "system": sys.platform, "machine": platform.machine()}
    wrong = [f"{name} {value}, expected {made[name]}" for name, value in here.items() if value != made[name]]
    if wrong:
        stop(f"found {'; '.join(wrong)}: take a Python of that version (PYTHON=...), or a bundle for this machine")


def install(folder: Path) -> None:
    """Make the environment, and fill it from the wheels alone."""
    print(f"installing into {folder}")
    venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-index", "--find-links", str(HERE / "wheels"), "--require-hashes"]
    if subprocess.run([*pip, "--requirement", str(HERE / "requirements.txt")]).returncode:
        stop("pip could not install the wheels; what it said stands above")
    print(f"installed. {python.parent / 'onscope'} doctor says:\n", flush=True)
    sys.exit(subprocess.run([str(python), "-I", "-m", "onscope.cli", "doctor"]).returncode)


def stop(words: str) -> None:
    sys.exit(f"error: {words}")


if __name__ == "__main__":
    main()
