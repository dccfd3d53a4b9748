"""The text for a methods section, and where every number comes from: packages, graphs, versions."""

from __future__ import annotations

from onscope.runtime.record.about import size_words

from ._found import Found
from ._html import Child, Html, facts, join, note, section, table, tag
from ._markdown import markdown
from ._words import without_folders


def methods(found: Found) -> Html:
    """methods.md, as the recorder wrote it and people completed it."""
    if not found.methods:
        return Html("")
    words = "Written by the recorder from what it knows. What it cannot know is marked."
    return section(
        "methods",
        "Methods",
        note(words),
        tag("div", markdown(without_folders(found.methods), "Methods"), class_="methods"),
    )


def provenance(found: Found) -> Html:
    """Packages with their hashes and licences, graphs, files, software; empty without a description."""
    if found.about is None:
        return Html("")
    told = found.about.facts
    packages = [
        [
            each.name,
            each.version or "-",
            each.licence or "none stated",
            tag("code", sha256),
            "yes" if each.forced else "",
        ]
        for sha256, each in told.all_packages.items()
    ]
    forced = ["forced"] if any(each.forced for each in told.all_packages.values()) else []
    rows = [row[: 4 + len(forced)] for row in packages]
    of_packages = (
        table("Packages of models", ["package", "version", "licence", "sha256", *forced], rows) if rows else None
    )
    files = [
        [f"{each.name}: {name}", tag("code", sha256)]
        for each in told.all_packages.values()
        for name, sha256 in each.files.items()
    ]
    of_files = table("Files of the packages", ["file", "sha256"], files) if files else None
    graphs = [
        [
            "+".join(graph.stages),
            graph.provider,
            " x ".join(map(str, lane.shape)) + f" {lane.dtype}",
            tag("code", graph.sha256),
        ]
        for lane in (*told.lanes, *(lane for swap in told.swaps for lane in swap.lanes))
        for graph in lane.graphs
    ]
    graphs = [row for at, row in enumerate(graphs) if row not in graphs[:at]]  # a replacement tells of all again
    of_graphs = table("Compiled graphs", ["stages", "engine", "frames", "sha256"], graphs) if graphs else None
    images = [
        [
            image.path,
            image.stage or "raw",
            f"{image.there:,}",
            " x ".join(map(str, image.shape)) + f" {image.dtype}",
            size_words(image.nbytes),
        ]
        for image in found.about.images
    ]
    of_images = (
        table("Images of the recording", ["image", "of", "frames", "shape", "disk"], images, (2, 4)) if images else None
    )
    report = [tag("li", without_folders(line)) for lane in told.lanes[:8] for line in lane.report[:40]]
    done = join(tag("h3", "What was done to the networks"), tag("ul", report)) if report else None
    command = " ".join(without_folders(word) for word in told.command)
    pairs: list[tuple[str, Child]] = [
        ("software", ", ".join(f"{name} {number}" for name, number in told.versions.items())),
        ("layout", f"{told.layout}"),
    ]
    pairs += [("command", tag("code", command))] if command else []
    return section(
        "provenance", "Provenance", of_packages, of_files, of_graphs, done, of_images, facts(pairs, wide=True)
    )
