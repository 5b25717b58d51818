import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.errors import StudyError
from sim.ledger.reader import Ledger
from sim.report import diffusion
from sim.report.diffusion import BEGUN, EXPIRED, GIVEN, PASSED, TAKEN, Move, _cascades, _chosen, _ties, html
from sim.world.build import society
from sim.world.graph import SocialGraph
from sim.world.params import WorldParams
from tests.report.markup import Page
from tests.report.town import PEOPLE, TITLE


@pytest.fixture(scope="module")
def run(found: Path) -> Path:
    return found / "runs" / "as-it-is" / "seed-0"


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return Page(html(run))


@pytest.fixture(scope="module")
def data(page: Page) -> Any:
    return json.loads(page.scripts[0][1])["en"]


@pytest.mark.slow
def test_it_needs_nothing_and_keeps_words_as_words(page: Page, run: Path) -> None:
    policy = page.meta["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert page.handlers == []
    assert all(link.startswith("#") for link in page.links)
    assert TITLE in page.text
    assert [kind for kind, _ in page.scripts] == ["application/json", None, None]
    assert html(run) == html(run)


@pytest.mark.slow
def test_moves_are_those_of_the_ledger(data: Any, run: Path) -> None:
    kinds = Counter(move[1] for move in data["moves"])
    counts = Counter(row["kind"] for row in Ledger(run).events.to_pylist())
    assert kinds[GIVEN] == counts["gift_sent"] > 0
    assert kinds[TAKEN] == counts["gift_claimed"]
    assert kinds[EXPIRED] == counts["gift_expired"]
    assert kinds[BEGUN] + kinds[PASSED] == counts["share"] > 0
    assert [move[0] for move in data["moves"]] == sorted(move[0] for move in data["moves"])
    given = {
        (row["time"], row["user"], row["peer"]) for row in Ledger(run).events.to_pylist() if row["kind"] == "gift_sent"
    }
    assert {(time, start, end) for time, kind, start, end, _ in data["moves"] if kind == GIVEN} == given


@pytest.mark.slow
def test_everybody_of_a_small_world_is_drawn_with_all_friends_and_stories(data: Any, run: Path) -> None:
    manifest = Ledger(run).manifest
    graph = society(WorldParams.model_validate(manifest["scenario"]["world"]), manifest["seed"]).graph
    assert data["people"] == list(range(PEOPLE))
    pairs = set(zip(data["ties"][::2], data["ties"][1::2], strict=True))
    assert pairs == {(a, b) for a in range(PEOPLE) for b in graph.row(a).tolist() if a < b}
    for user, story in enumerate(data["stories"]):
        asked = "SELECT count(*) FROM events WHERE kind <> 'visit' AND (\"user\" = $user OR peer = $user)"
        ((count,),) = Ledger(run).rows(asked, user=user)
        assert len(story) == min(count, diffusion.MOST_TOLD)


def chain(first: int, people: list[int]) -> list[Move]:
    return [Move(at, PASSED, a, b, first) for at, (a, b) in enumerate(zip(people, people[1:], strict=False))]


def test_larger_worlds_are_sampled_by_whole_cascades_the_largest_among_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusion, "MOST_PEOPLE", 10)
    moves = [*chain(50, [0, 1, 2, 3, 4, 5, 6]), *chain(10, [20, 21]), *chain(30, [30, 31, 32]), *chain(60, [6, 40])]
    cascades = _cascades(moves)
    assert list(cascades) == [10, 30, 50, 60]
    assert _chosen(cascades, 10) == cascades
    chosen = _chosen(cascades, 11)
    assert set(chosen) == {50, 10, 60}  # with 30 there would be twelve people
    assert all(chosen[name] == cascades[name] for name in chosen)
    assert diffusion._people(chosen.values()).tolist() == [0, 1, 2, 3, 4, 5, 6, 20, 21, 40]


def test_ties_are_those_among_the_people_drawn() -> None:
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]
    rows = [[b for a, b in [*edges, *((b, a) for a, b in edges)] if a == user] for user in range(5)]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    graph = SocialGraph(indptr, np.concatenate(rows).astype(np.int32))
    assert _ties(graph, np.array([0, 1, 3])).tolist() == [[0, 1], [1, 2]]


def test_people_who_cannot_be_made_again_are_told() -> None:
    with pytest.raises(StudyError, match="its people cannot be made again"):
        diffusion._graph({"scenario": {}, "seed": 1})
