"""What is chosen: the fewest GPUs that suffice, links that carry it, and words for what is the limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from onscope.runtime import PipelineError, keep_oldest
from onscope.runtime.capacity import ON_THE_WIRE, Cost, Rhythm, Scope, Wanted, choose, draw, needs
from onscope.runtime.drawing import BAD, GOOD

COST = {"m": Cost({1: [5.0]}, "tensorrt")}


def scopes(n: int, fps: float = 20.0, size: int = 1000, link: float | None = None) -> list[Scope]:
    alike = Scope("", Rhythm(fps, 0.2), "m", up_bytes=size, down_bytes=size, depth=3, link_gbit=link)
    return [replace(alike, name=f"{at}") for at in range(n)]


def test_the_fewest_that_suffice_are_chosen() -> None:
    chosen = choose(scopes(30), COST, Wanted(latency_ms=50, windows=2000))
    assert chosen.needs.gpus == pytest.approx(3.0)
    assert chosen.enough
    assert 3 <= chosen.best.gpus <= 4
    fewer = [each for each in chosen.curve if each.gpus < 3]
    assert fewer
    assert not any(each.suffices(Wanted(latency_ms=50, windows=2000)) for each in fewer)
    assert {"keep_newest:2", "keep_oldest:2", "block:2", "deadline 50 ms"} == set(chosen.policies)


@pytest.mark.long
def test_batches_make_do_with_fewer() -> None:
    cost = {"m": Cost({1: [5.0], 8: [10.0]})}
    assert choose(scopes(60), cost, Wanted(batch=1, windows=2000)).best.gpus >= 6
    chosen = choose(scopes(60), cost, Wanted(windows=2000))
    assert chosen.best.gpus < 6
    assert chosen.best.batch == 8


def test_servers_are_as_many_as_their_links_need() -> None:
    size = 2_000_000
    one = 20 * size * 8e-9 * ON_THE_WIRE  # 0.34 Gbit/s
    chosen = choose(scopes(9, size=size, link=1.0), COST, Wanted(link_gbit=1.0, latency_ms=200, windows=2000))
    assert needs(scopes(9, size=size), COST).up_gbit == pytest.approx(9 * one)
    assert chosen.best.servers == 5  # two each: three would be more than 0.9 Gbit/s
    assert max(chosen.best.outcome.links_up) <= 0.9
    alone = choose(scopes(9, size=size, link=1.0), COST, Wanted(link_gbit=1.0, servers=1, windows=2000))
    assert not alone.enough
    assert alone.limit.startswith("the servers' link")


def test_gpus_that_are_given_are_looked_at_over_microscopes() -> None:
    chosen = choose(scopes(20), COST, Wanted(gpus=1, windows=4000))
    assert chosen.axis == "microscopes"
    assert not chosen.enough
    assert chosen.limit.startswith("computing")
    shares = [each.outcome.whole.ran for each in chosen.curve]
    assert [each.scopes for each in chosen.curve] == [5, 10, 15, 20, 25, 30, 40]
    assert shares[0] == 1.0
    assert shares[-1] == pytest.approx(0.25, abs=0.05)


def test_a_box_each_has_as_many_as_there_are_microscopes() -> None:
    chosen = choose(scopes(4), COST, Wanted(own=True, windows=2000))
    assert (chosen.best.servers, chosen.best.gpus, chosen.enough) == (4, 4, True)


def test_a_window_that_is_longer_than_what_is_wanted_is_told() -> None:
    chosen = choose(scopes(2, fps=2), {"m": Cost({1: [80.0]})}, Wanted(latency_ms=50, windows=2000))
    assert not chosen.enough
    assert chosen.limit.startswith("the time of a single window, 80 ms")


def test_that_one_window_is_under_way_is_told_and_another_admission_helps() -> None:
    chosen = choose(scopes(4, fps=50), {"m": Cost({1: [30.0]})}, Wanted(latency_ms=100, windows=2000))
    assert not chosen.enough
    assert "how many windows each microscope has under way" in chosen.limit
    others = [Scope(f"{at}", Rhythm(50.0, 0.2), "m", keep_oldest(2), depth=3, far=True) for at in range(4)]
    assert choose(others, {"m": Cost({1: [30.0]})}, Wanted(latency_ms=100, windows=2000)).enough


def test_what_would_take_thousands_of_gpus_is_refused() -> None:
    with pytest.raises(PipelineError, match="GPUs would be busy"):
        choose(scopes(100, fps=1000), {"m": Cost({1: [1000.0]})}, Wanted(windows=2000))


@pytest.mark.parametrize(("gpus", "colour"), [(None, GOOD), (1, BAD)])
def test_the_picture_marks_what_was_chosen(
    tmp_path_factory: pytest.TempPathFactory, gpus: int | None, colour: tuple[int, int, int]
) -> None:
    wanted = Wanted(gpus=gpus, windows=2000)
    chosen = choose(scopes(20), COST, wanted)
    path = draw(chosen, wanted, "title", "costs", "GPU", tmp_path_factory.mktemp("plan") / "plan.png")
    with Image.open(path) as image:
        assert image.size == (1200, 760)
        found = image.getcolors(1 << 20) or []
    assert next(number for number, each in found if each == colour) > 400
