"""Zipped packages: unpacked once, by content; what would leave its folder or never end is refused first."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Package, PackageError
from onscope.runtime.package import _zip as reader

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packages"


def pack(folder: Path, prefix: str = "", compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def refused(path: Path, words: str) -> None:
    with pytest.raises(PackageError, match=words) as caught:
        Package.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("prefix", ["", "my model/"])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_same_package_as_the_folder(make_package: Make, cache: Path, prefix: str, compression: int) -> None:
    folder = make_package()
    plain, zipped = Package.load(folder), Package.load(pack(folder, prefix, compression))
    assert zipped.package_sha256 == plain.package_sha256
    assert np.array_equal(zipped.load_test_inputs()[0], plain.load_test_inputs()[0])
    assert zipped.folder.is_relative_to(cache)


def test_unpacked_once(make_package: Make, cache: Path, tmp_path: Path) -> None:
    path = pack(make_package())
    first = Package.load(path)
    written = first.weights.stat().st_mtime_ns
    (tmp_path / "copy.zip").write_bytes(path.read_bytes())
    again = Package.load(tmp_path / "copy.zip")
    assert (again, again.weights.stat().st_mtime_ns) == (first, written)
    assert len(list(cache.iterdir())) == 1


def test_a_zip_by_any_name(make_package: Make, tmp_path: Path) -> None:
    path = pack(make_package())
    path.rename(tmp_path / "model.bioimage")
    assert Package.load(tmp_path / "model.bioimage").name == "plus one"


def test_a_tidied_cache_is_filled_again(make_package: Make, cache: Path) -> None:
    path = pack(make_package())
    first = Package.load(path)
    first.weights.unlink()
    assert Package.load(path) == first
    assert first.weights.is_file()
    assert [place.name[0] for place in cache.iterdir()].count(".") <= 1


def test_nothing_half_unpacked_is_left(make_package: Make, cache: Path) -> None:
    path = pack(make_package(), compression=zipfile.ZIP_STORED)
    data = path.read_bytes()
    at = data.index(b"plus_one")  # in the weights
    path.write_bytes(data[:at] + b"PLUS_ONE" + data[at + 8 :])
    refused(path, "no whole .zip .*: fetch the package again")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "C:/evil",
        "a\\..\\evil",
        "a//b",
        "./a",
        "con.",
        "a\x01b",
        "a/",
        "x" * 201,
    ],
)
def test_paths_that_lead_out(make_package: Make, tmp_path: Path, cache: Path, name: str) -> None:
    path = pack(make_package())
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("placeholder" if name != "a/" else "a//")
        entry.filename = name if name != "a/" else "a//"
        archive.writestr(entry, b"evil")
    refused(path, "found the path .* expected one inside the package's folder")
    assert not cache.exists()
    assert not list(tmp_path.glob("**/evil"))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(make_package: Make, kind: int) -> None:
    path = pack(make_package())
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(path, "link or device 'link'")


def test_encrypted_entries(make_package: Make) -> None:
    path = pack(make_package())
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    refused(path, "encrypted")


@pytest.mark.parametrize("name", ["rdf.yaml", "RDF.YAML"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_name_twice(make_package: Make, name: str) -> None:
    path = pack(make_package())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "type: model")
    refused(path, "twice")


def test_a_file_that_is_a_folder(make_package: Make) -> None:
    path = pack(make_package())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("rdf.yaml/inside", "1")
    refused(path, "'rdf.yaml' as file and folder")


def test_absurd_sizes(make_package: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(make_package())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(4_000_000))
    assert Package.load(path).name == "plus one"
    monkeypatch.setattr(reader, "FREELY_BYTES", 1_000_000)
    refused(path, "that unfolds to 40.*expected at most")
    monkeypatch.setattr(reader, "MAX_ENTRIES", 3)
    refused(path, "entries in .*expected at most 3")


def test_a_size_that_is_a_lie(make_package: Make, cache: Path) -> None:
    path = pack(make_package())
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")  # the first file claims 10 bytes
    path.write_bytes(data)
    refused(path, "no whole .zip")
    assert list(cache.iterdir()) == []


def test_unusual_packing(make_package: Make) -> None:
    refused(pack(make_package(), compression=zipfile.ZIP_LZMA), "packed in an unusual way")


def test_no_description_or_several(make_package: Make, tmp_path: Path) -> None:
    folder = make_package()
    deep = pack(folder, "a/b/")
    refused(deep, "no rdf.yaml in package.zip")
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as archive:
        archive.writestr("a/rdf.yaml", "type: model")
        archive.writestr("b/rdf.yaml", "type: model")
    refused(two, "found 2 model descriptions")


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04" + bytes(40), b"no archive at all"])
def test_no_zip(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.zip").write_bytes(data)
    refused(tmp_path / "model.zip", "no whole .zip")


def test_a_disk_without_room(make_package: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pack(make_package())
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 100}))
    refused(path, "expected room for the package")


def test_what_a_killed_run_left_goes(make_package: Make, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / ".unpacking-old").mkdir(parents=True)
    monkeypatch.setattr(reader, "_STALE_S", -1.0)
    Package.load(pack(make_package()))
    assert not (cache / ".unpacking-old").exists()
