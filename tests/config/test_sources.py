import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.config import shipped
from sim.config.load import load
from sim.config.sources import MAX_EXTENDS
from sim.config.yaml import MAX_BYTES
from sim.errors import Fault, ScenarioError

pytestmark = pytest.mark.usefixtures("small_catalog")

Write = Callable[..., Path]


def refused(source: str | Path) -> tuple[Fault, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(source)
    return caught.value.faults


@pytest.fixture
def shelf(write: Write, head: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two shipped scenarios and a data file."""
    top = write(head + "people: {browse: {opens: 0.5}, buy: }\n", "top/scenarios/base.yaml").parents[1]
    write(head + "seed: 9\n", "top/scenarios/triangle.yaml")
    write("0 1\n", "top/data/ties.txt")
    (top / "sim").mkdir()
    monkeypatch.setattr(shipped, "PACKAGE", top / "sim")
    return top


def test_a_child_is_laid_on_its_parent(write: Write, head: str) -> None:
    write(head + "people: {browse: {opens: 0.5}, buy: }\nseed: 3\n", "base.yaml")
    got = load(write("extends: base.yaml\ntitle: child\npeople: {browse: {shares: [0, 1]}, buy: false}\n"))
    assert (got.title, got.seed) == ("child", 3)
    assert list(got.people) == ["browse"]
    assert (got.people["browse"].opens, got.people["browse"].shares) == (0.5, (0, 1))  # type: ignore[attr-defined]


def test_merchants_of_the_parent_keep_their_place(write: Write, head: str) -> None:
    write(head, "base.yaml")
    got = load(write("extends: base.yaml\nmerchants: {a: {products: {p: {}}}, tea: {products: {black: {}}}}\n"))
    assert list(got.merchants) == ["tea", "a"]
    assert list(got.merchants["tea"].products) == ["green", "black"]


def test_parents_are_sought_beside_the_file_that_names_them(write: Write, head: str) -> None:
    write(head, "a/deep/base.yaml")
    write("extends: deep/base.yaml\nseed: 5\n", "a/middle.yaml")
    assert load(write("extends: a/middle.yaml\n")).seed == 5


def test_faults_stand_in_the_file_that_stated_them(write: Write, head: str) -> None:
    base = write(head + "people: {browse: {opens: 7}}\nseed: -1\n", "base.yaml")
    child = write("extends: base.yaml\nseed: -2\nstrategies: {a: {record: x}}\n")
    found = [(fault.file, fault.line, fault.column, fault.where) for fault in refused(child)]
    assert found == [
        (str(base), 4, 26, "people.browse.opens"),
        (str(child), 2, 7, "seed"),
        (str(child), 3, 26, "strategies.a.record"),
    ]


def test_faults_of_reading_are_reported_for_both_files(write: Write, head: str) -> None:
    base = write(head + "seed: &x 1\n", "base.yaml")
    child = write("extends: base.yaml\ntitle: a\ntitle: b\n")
    assert [(fault.file, fault.line) for fault in refused(child)] == [(str(base), 4), (str(child), 3)]


@pytest.mark.parametrize(
    ("extends", "wrong"),
    [
        ("nothing.yaml", "no file or shipped scenario 'nothing.yaml'"),
        ("3", "must name one scenario"),
        ("[base.yaml]", "must name one scenario"),
        ("scenario.yaml", "in turn"),
        ('"a\\0b"', "no file or shipped scenario"),
        ("x" * 5000, "no file or shipped scenario"),
        (".", "no file or shipped scenario"),
        ('""', "no file or shipped scenario"),
    ],
)
def test_what_cannot_be_extended(write: Write, extends: str, wrong: str) -> None:
    (fault,) = refused(write(f"title: t\nextends: {extends}\n"))
    assert (fault.line, fault.column, fault.where) == (2, 10, "extends")
    assert wrong in fault.wrong


def test_a_circle_over_several_files_is_refused(write: Write) -> None:
    write("extends: c.yaml\n", "b.yaml")
    last = write("extends: ./a.yaml\n", "c.yaml")
    (fault,) = refused(write("extends: b.yaml\n", "a.yaml"))
    assert (fault.file, fault.line, fault.column) == (str(last), 1, 10)
    assert "in turn" in fault.wrong


def test_a_long_chain_is_refused(write: Write, head: str) -> None:
    write(head, "f0.yaml")
    for i in range(1, MAX_EXTENDS + 1):
        write(f"extends: f{i - 1}.yaml\n", f"f{i}.yaml")
    folder = write(head).parent
    assert load(folder / f"f{MAX_EXTENDS - 1}.yaml").title == "t"
    (fault,) = refused(folder / f"f{MAX_EXTENDS}.yaml")
    assert fault.file.endswith("f1.yaml")
    assert f"more than {MAX_EXTENDS} files" in fault.wrong


def test_a_shipped_scenario_is_found_by_its_bare_name(shelf: Path) -> None:
    assert load("triangle").seed == 9
    assert load("base").title == "t"


def test_a_shipped_scenario_can_be_extended_from_anywhere(shelf: Path, write: Write) -> None:
    assert load(write("extends: triangle\nrecord: all\n")).seed == 9


def test_an_existing_file_wins_over_a_shipped_name(
    shelf: Path, write: Write, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write(head + "seed: 4\n", "triangle").parent)
    assert load("triangle").seed == 4


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("triangel", 'did you mean "triangle"?'),
        ("somewhere/bas.yaml", 'did you mean "base"?'),
        ("zzz", "known here: base, triangle"),
    ],
)
def test_an_unknown_scenario_is_a_fault_with_advice(shelf: Path, name: str, instead: str) -> None:
    (fault,) = refused(name)
    assert fault.file == name
    assert instead in fault.instead


def test_unreadable_files_are_faults(write: Write, tmp_path: Path) -> None:
    assert "no file" in refused(tmp_path)[0].wrong
    assert "no file" in refused("x" * 5000)[0].wrong
    assert "larger" in refused(write(b"#" * (MAX_BYTES + 5)))[0].wrong


def test_a_file_that_may_not_be_read_is_a_fault(write: Write, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    path = write(head)
    monkeypatch.setattr(Path, "open", deny)
    (fault,) = refused(path)
    assert fault.wrong == f"{path} cannot be read: {os.strerror(13)}"


def test_a_graph_file_lies_beside_the_file_that_states_it(write: Write, head: str) -> None:
    ties = write("0 1\n", "sub/ties.txt")
    write(head + "world: {people: {count: 2}, graph: {file: ties.txt}}\n", "sub/base.yaml")
    assert load(write("extends: sub/base.yaml\n")).world.graph.file == ties.resolve()


def test_a_graph_file_may_be_shipped_data(shelf: Path, write: Write, head: str) -> None:
    got = load(write(head + "world: {people: {count: 2}}\nstrategies: {s: {world.graph.file: data/ties.txt}}\n"))
    assert got.world.graph.file is None
    assert got.strategy("s").world.graph.file == (shelf / "data/ties.txt").resolve()


def test_shipped_files_lie_in_the_checkout_or_inside_the_package(shelf: Path, write: Write, head: str) -> None:
    assert shipped.names() == ("base", "triangle")
    assert shipped.root() == shelf
    write(head, "top/sim/_shipped/scenarios/other.yaml")
    assert shipped.names() == ("other",)
    assert shipped.find("other") == shelf / "sim/_shipped/scenarios/other.yaml"
    assert shipped.find("base") is None
