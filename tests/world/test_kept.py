"""Societies kept in a folder are those that were made."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sim.world import kept
from sim.world.build import _made
from sim.world.kept import Society
from sim.world.params import WorldParams

SMALL = WorldParams(people={"count": 60})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Iterator[Path]:
    token = kept.FOLDER.set(tmp_path / "societies")
    yield tmp_path / "societies"
    kept.FOLDER.reset(token)


class Maker:
    """Makes societies and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, params: WorldParams, seed: int) -> Society:
        self.made += 1
        return _made(params, seed)


def same(one: Society, other: Society) -> bool:
    graphs = [(getattr(one, name), getattr(other, name)) for name in ("graph", "groups", "members")]
    return (
        one.people.keys() == other.people.keys()
        and all(one.people[k].dtype == other.people[k].dtype for k in one.people)
        and all(np.array_equal(one.people[k], other.people[k]) for k in one.people)
        and all(np.array_equal(a.indptr, b.indptr) and np.array_equal(a.indices, b.indices) for a, b in graphs)
        and all((a.layer is None) == (b.layer is None) for a, b in graphs)
    )


def test_the_second_to_ask_reads_what_the_first_made() -> None:
    make = Maker()
    first, second = kept.kept(make, SMALL, 1), kept.kept(make, SMALL, 1)
    assert make.made == 1
    assert same(first, second)
    assert not second.graph.indices.flags.writeable


def test_other_seeds_and_other_parameters_are_other_societies() -> None:
    make = Maker()
    one, two = kept.kept(make, SMALL, 1), kept.kept(make, SMALL, 2)
    wider = WorldParams(people={"count": 60}, graph={"mean_degree": 30})
    three = kept.kept(make, wider, 1)
    assert make.made == 3
    assert not same(one, two)
    assert not same(one, three)


@pytest.mark.parametrize("content", [b"", b"PK half a file", b"no archive"])
def test_a_file_that_cannot_be_read_is_made_anew(folder: Path, content: bytes) -> None:
    make = Maker()
    whole = kept.kept(make, SMALL, 1)
    (path,) = folder.iterdir()
    path.write_bytes(content)
    assert same(kept.kept(make, SMALL, 1), whole)
    assert same(kept.kept(make, SMALL, 1), whole)
    assert make.made == 2


def test_a_graph_file_is_read_each_time(folder: Path, tmp_path: Path) -> None:
    ties = tmp_path / "ties.txt"
    ties.write_text("0 1\n1 2\n2 3\n", "utf-8")
    make = Maker()
    kept.kept(make, WorldParams(people={"count": 4}, graph={"file": ties}), 1)
    assert make.made == 1
    assert not folder.exists()


def test_without_a_folder_nothing_is_kept(folder: Path) -> None:
    kept.FOLDER.set(None)
    make = Maker()
    kept.kept(make, SMALL, 1)
    kept.kept(make, SMALL, 1)
    assert make.made == 2
    assert not folder.exists()
