"""The page's files: those of its folder, read at the start, and no others."""

from __future__ import annotations

from pathlib import Path

from onscope.view.server._pages import read_page


def test_files_of_a_page_and_no_others(tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "js").mkdir(parents=True)
    (page / "index.html").write_text("<p>")
    (page / "js" / "main.js").write_text("1")
    (page / "js" / "notes.txt").write_text("no")
    (page / "__init__.py").write_text("no")
    (tmp_path / "beside.js").write_text("no")
    files = read_page(page)
    assert files.keys() == {"/", "/index.html", "/js/main.js"}
    assert files["/"].body == b"<p>"
    assert files["/js/main.js"].kind == "text/javascript; charset=utf-8"
    (page / "index.html").unlink()
    assert files["/"].body == b"<p>"  # nothing is read later


def test_without_a_page(tmp_path: Path) -> None:
    assert read_page(tmp_path / "nowhere") == {}
