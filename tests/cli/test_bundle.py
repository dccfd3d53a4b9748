"""`onscope bundle`: all wheels of the target and no others, pipelines that load, and an installer that checks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.cli.bundling import BundleError, Target, Wheel, copy_pipeline, gather
from onscope.cli.bundling._make import Wanted, make
from onscope.runtime import Package, Pipeline
from onscope.runtime.record import open_recording
from tests import models
from tests.cli.conftest import FRAMES, Call
from tests.cli.wheels import make_wheel

UNSHARE = ["unshare", "-rn"]
"""A network namespace without any network, where the system lets us have one."""

Gather = Callable[..., dict[str, str]]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip knows."""
    return only_index(tmp_path / "index", monkeypatch)


def only_index(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(folder))
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def gathered(tmp_path: Path, index: Path) -> Gather:
    """Versions by name of what is fetched for an own wheel with these requirements."""

    def gathered(requires: list[str], *extras: str, target: Target | None = None, pins: str = "") -> dict[str, str]:
        into = tmp_path / "wheels"
        shutil.rmtree(into, ignore_errors=True)
        own = Wheel.read(make_wheel(into, "onscope", "0.1.0", requires, ["small", "other"]))
        constraints = tmp_path / "pins.txt"
        constraints.write_text(pins)
        wheels = gather(own, extras, target or Target.of(None, None), into, constraints)
        assert sorted(path.name for path in into.iterdir()) == sorted(each.path.name for each in wheels)
        return {each.name: str(each.version) for each in wheels}

    return gathered


@pytest.mark.long
def test_what_wheels_need_is_followed(gathered: Gather, index: Path) -> None:
    make_wheel(index, "a", "1.0", ["b[deep]>=1"])
    make_wheel(index, "b", "1.0", ["c; extra == 'deep'", "d; extra == 'flat'"], ["deep", "flat"])
    make_wheel(index, "b", "2.0")
    for name in ("c", "d"):
        make_wheel(index, name, requires=["a"])  # a circle
    assert gathered(["a"], pins="b==1.0") == {"onscope": "0.1.0", "a": "1.0", "b": "1.0", "c": "1.0"}
    assert gathered(["b"])["b"] == "2.0"


def test_extras_of_extras_and_of_a_wheel_that_is_there(gathered: Gather, index: Path) -> None:
    make_wheel(index, "a", requires=["b; extra == 'more'"], extras=["more"])
    make_wheel(index, "b", requires=["c"])
    make_wheel(index, "c", requires=["a[more]"])
    requires = ["a", "c; extra == 'small'", "onscope[small]; extra == 'other'"]
    assert gathered(requires) == {"onscope": "0.1.0", "a": "1.0"}
    assert gathered(requires, "other") == {"onscope": "0.1.0", "a": "1.0", "b": "1.0", "c": "1.0"}


@pytest.mark.long
def test_markers_are_those_of_the_target(gathered: Gather, index: Path) -> None:
    for name, marker in (
        ("win", "sys_platform == 'win32'"),
        ("lin", "platform_system == 'Linux' and platform_machine == 'aarch64'"),
        ("old", "python_version < '3.12'"),
    ):
        make_wheel(index, name)
        make_wheel(index, f"n{name}")
        make_wheel(index, f"d{name}", requires=[f"{name}; {marker}"])
    requires = ["dwin", "dlin", "dold"]
    windows = gathered(requires, target=Target("windows", "3.11")).keys() - {"onscope", *requires}
    assert windows == {"win", "old"}
    assert gathered(requires, target=Target("linux-arm64", "3.12")).keys() - {"onscope", *requires} == {"lin"}


@pytest.mark.long
def test_wheels_are_those_of_the_target(gathered: Gather, index: Path) -> None:
    make_wheel(index, "a", "1.0", tag="cp311-cp311-win_amd64")
    make_wheel(index, "a", "2.0", tag="cp311-cp311-manylinux_2_28_aarch64")
    make_wheel(index, "a", "3.0", tag="cp311-cp311-manylinux_2_39_aarch64")
    make_wheel(index, "a", "4.0", tag="cp312-cp312-win_amd64")
    assert gathered(["a"], target=Target("windows", "3.11"))["a"] == "1.0"
    assert gathered(["a"], target=Target("linux-arm64", "3.11"))["a"] == "2.0"
    with pytest.raises(BundleError, match=r"found no wheel of a for Python 3\.13 on windows .*: leave out the extra"):
        gathered(["a"], target=Target("windows", "3.13"))


def test_requirements_that_do_not_go_together_are_refused(gathered: Gather, index: Path) -> None:
    make_wheel(index, "a", "1.0", ["b"])
    make_wheel(index, "b", "1.0", ["a>=2"])
    with pytest.raises(BundleError, match=r"found a 1\.0, expected a>=2 as b 1\.0 needs: pin both"):
        gathered(["a"])


def test_an_unknown_extra_and_platform_are_refused(gathered: Gather, call: Call, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="found the extra smal, expected some of other, small"):
        gathered([], "smal")
    said = call("bundle", tmp_path / "b", "--platform", "vms")
    assert (said.code, "found the platform 'vms', expected one of linux, " in said.err) == (1, True)
    said = call("bundle", tmp_path / "b", "--python", "three")
    assert (said.code, "found the Python 'three', expected a version such as 3.11" in said.err) == (1, True)
    said = call("bundle", tmp_path, "--pipeline", "x.yaml")
    assert (said.code, "found something at" in said.err) == (1, True)


def test_a_pipeline_goes_with_its_packages_and_its_calibration(tmp_path: Path) -> None:
    home = tmp_path / "home"
    models.pipeline(home / "elsewhere")
    (home / "maps").mkdir(parents=True)
    np.save(home / "maps" / "dark.npy", np.full((48, 64), 100.0))
    (home / "camera.yaml").write_text("schema: 1\ndark: maps/dark.npy\nbits: 12\n")
    (home / "elsewhere" / "plus" / ".hidden").write_text("a secret")
    os.symlink("/etc/passwd", home / "elsewhere" / "plus" / "link")
    path = home / "my scope.yaml"
    path.write_text(
        "# mine\nschema: 1\nstages:\n  plus: {package: elsewhere/plus}  # twice\n"
        f"  again: {{package: '{home / 'elsewhere' / 'plus'}', reads: plus}}\n"
        "  denoise: {package: zoo/care-beads}\ncalibration: {Cam: camera.yaml}\n"
    )
    made = copy_pipeline(path, tmp_path / "made" / "pipelines")
    expected = [package.package_sha256 for package in Pipeline.load(path).packages]
    shutil.rmtree(home)
    copied = Pipeline.load(made)
    assert [package.package_sha256 for package in copied.packages] == expected
    assert copied.calibration["Cam"].is_relative_to(tmp_path / "made")
    text = made.read_text()
    assert "# mine" in text
    assert "# twice" in text
    assert "package: zoo/care-beads" in text
    names = sorted(each.name for each in (made.parent / "packages").iterdir())
    assert len(names) == 1, "one package, however often it runs"
    found = {each.name for each in (made.parent / "packages" / names[0]).rglob("*")}
    assert not {".hidden", "link"} & found
    assert copy_pipeline(made, tmp_path / "made" / "pipelines").parent.name == "my-scope-2"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, pipeline_file: Path) -> Path:
    """A bundle whose onscope is one module and needs another one."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        index = only_index(folder / "index", patch)
        make_wheel(index, "a", requires=["b; sys_platform != 'plan9'"])
        make_wheel(index, "b")
        doctor = "import sys, a, b; print('doctor', sys.argv[1:], a.VERSION)\n"
        files = {"onscope/cli/__main__.py": doctor, "onscope/cli/__init__.py": ""}
        own = make_wheel(folder, "onscope", "0.1.0", ["a"], ["small"], files=files)
        make(folder / "bundle", Wanted(("small",), (pipeline_file,), onscope=own, constraints=_empty(folder)))
    return folder / "bundle"


@pytest.fixture
def small(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def _empty(folder: Path) -> Path:
    (folder / "none.txt").write_text("")
    return folder / "none.txt"


def installer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`install.sh` as somebody calls it who has no network, and no environment variables but the usual ones."""
    environment = {"PATH": os.environ["PATH"], "PYTHON": sys.executable}
    line = [str(folder / "install.sh"), *words]
    namespace = UNSHARE if shutil.which("unshare") and subprocess.run([*UNSHARE, "true"]).returncode == 0 else []
    return subprocess.run([*namespace, *line], capture_output=True, text=True, env=environment, cwd=folder.parent)


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="a shell script")
def test_a_bundle_is_installed_without_network(small: Path, tmp_path: Path) -> None:
    checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=small, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    listed = {line.split("  ")[1] for line in (small / "SHA256SUMS").read_text().splitlines()}
    there = {path.relative_to(small).as_posix() for path in small.rglob("*") if path.is_file()}
    assert there - listed == {"SHA256SUMS"}
    assert {"services/onscope-serve.service", "install.ps1", "README.txt"} <= listed
    assert json.loads((small / "bundle.json").read_text())["extras"] == ["small"]
    assert "{" not in (small / "README.txt").read_text()
    done = installer(small, "environment")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "doctor ['doctor'] 1.0" in done.stdout
    again = installer(small, "environment")
    assert again.returncode == 1
    assert "expected a new folder" in again.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell script")
def test_a_changed_bundle_is_refused(small: Path, tmp_path: Path) -> None:
    package = next((small / "pipelines").rglob("*.onnx"))
    wheel = next((small / "wheels").glob("b-*"))
    before = wheel.read_bytes()

    def refused(words: str, *more: str) -> None:
        done = installer(small, "environment", *more)
        assert done.returncode == 1
        assert words in done.stderr
        assert not (tmp_path / "environment").exists()

    wheel.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    refused(f"wheels/{wheel.name} is not as it was made")
    wheel.unlink()
    refused(f"wheels/{wheel.name} is missing")
    wheel.write_bytes(before)
    content = package.read_bytes()
    package.write_bytes(content + b"\0")
    refused(f"{package.name} is not as it was made")
    package.write_bytes(content)
    (small / "wheels" / "c-1.0-py3-none-any.whl").write_bytes(before)
    refused("wheels/c-1.0-py3-none-any.whl is not in the list")
    (small / "wheels" / "c-1.0-py3-none-any.whl").unlink()
    refused("this is another bundle, or a changed one", "--list-sha256", "0" * 64)
    facts = json.loads((small / "bundle.json").read_text())
    (small / "bundle.json").write_text(json.dumps(facts | {"python": "3.99"}))
    refused("bundle.json is not as it was made")


def test_pip_refuses_a_wheel_with_another_hash(small: Path, tmp_path: Path) -> None:
    """Also where somebody made a new list of hashes for a changed wheel."""
    make_wheel(small / "wheels", "b", files={"b.py": "VERSION = 'changed'\n"})
    line = [sys.executable, "-m", "pip", "install", "--isolated", "--no-index", "--find-links", str(small / "wheels")]
    line += ["--require-hashes", "--target", str(tmp_path / "t"), "-r", str(small / "requirements.txt")]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_a_zip_has_the_same_files(tmp_path: Path, index: Path, pipeline_file: Path, call: Call) -> None:
    make_wheel(index, "a")
    own = make_wheel(tmp_path, "onscope", "0.1.0", ["a"], ["small"])
    words = ("--extra", "small", "--onscope", own, "--constraints", _empty(tmp_path), "--pipeline", pipeline_file)
    said = call("bundle", tmp_path / "one", *words)
    assert said.code == 0, said.err
    assert (tmp_path / "one" / "pipelines" / "pipeline" / "pipeline.yaml").is_file()
    assert call("bundle", tmp_path / "one.zip", *words).code == 0
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        zipped = {name: archive.read(name) for name in archive.namelist()}
        assert archive.getinfo("one/install.sh").external_attr >> 16 & 0o111
    files = {f"one/{path.relative_to(tmp_path / 'one').as_posix()}": path for path in (tmp_path / "one").rglob("*")}
    assert zipped == {name: path.read_bytes() for name, path in files.items() if path.is_file()}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def _reaches_an_index() -> bool:
    line = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", os.devnull + "-none", "packaging==99999"]
    said = subprocess.run(line, capture_output=True, text=True, timeout=200).stderr
    return "from versions: none" not in said


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(os.name != "posix", reason="a shell script")
def test_onscope_itself_runs_where_there_is_no_network(
    tmp_path: Path, pipeline_file: Path, stack: Path, call: Call
) -> None:
    if not _reaches_an_index():
        pytest.skip("no index can be reached")
    said = call("bundle", tmp_path / "bundle", "--extra", "cpu", "--pipeline", pipeline_file)
    assert said.code == 0, said.err
    done = installer(tmp_path / "bundle", "environment")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "engine cpu" in done.stdout
    line = [str(tmp_path / "environment" / "bin" / "onscope"), "run", "bundle/pipelines/pipeline/pipeline.yaml"]
    run = subprocess.run(
        [*line, "--source", f"replay:{stack}", "--out", "out"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(open_recording(tmp_path / "out")) == FRAMES
    assert Package.load("zoo/care-beads").name
