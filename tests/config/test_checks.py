from collections.abc import Callable
from pathlib import Path

import pytest

from sim.config.load import load
from sim.errors import Fault

pytestmark = pytest.mark.usefixtures("small_catalog")

Faults = Callable[..., list[Fault]]


@pytest.mark.parametrize(
    ("graph", "column", "where", "wrong", "instead"),
    [
        ("networkx: {generator: barabasi_albert_grap, m: 2}", 38, "networkx", "no generator", "barabasi_albert_graph"),
        ("networkx: {generator: barabasi_albert_graph, m: 99}", 38, "networkx", "barabasi_albert_graph", ""),
        ("networkx: {generator: barabasi_albert_graph, q: 9}", 38, "networkx", "barabasi_albert_graph", ""),
        ("networkx: {generator: star_graph}", 38, "networkx", "11 people", "count: 11"),
        ("file: ties.txt", 38, "file", "3 people", "count: 3"),
        ("file: ties.pdf", 38, "file", "ties.pdf", "must end in"),
        ("networkx: {m: 2}", 38, "networkx.generator", "is missing", "a text"),
        ("file: ties.txt, networkx: {generator: path_graph}", 30, "", "either networkx or file", ""),
    ],
)
def test_a_graph_from_elsewhere_is_tried_before_anything_runs(
    write: Callable[..., Path], faults: Faults, head: str, graph: str, column: int, where: str, wrong: str, instead: str
) -> None:
    write("0 1\n1 2\n", "ties.txt")
    write("no graph", "ties.pdf")
    (fault,) = faults(head + f"world: {{people: {{count: 10}}, graph: {{{graph}}}}}\n")
    assert (fault.line, fault.column, fault.where) == (4, column, f"world.graph.{where}".rstrip("."))
    assert wrong in fault.wrong
    assert instead in fault.instead


def test_a_graph_of_the_right_size_is_taken(write: Callable[..., Path], head: str) -> None:
    write("0 1\n1 2\n", "ties.txt")
    assert load(write(head + "world: {people: {count: 3}, graph: {file: ties.txt}}\n")).world.people.count == 3


def test_a_graph_that_only_a_strategy_changes_is_tried_too(
    write: Callable[..., Path], faults: Faults, head: str
) -> None:
    write("0 1\n1 2\n", "ties.txt")
    text = head + "world: {people: {count: 3}, graph: {file: ties.txt}}\nstrategies: {s: {world.people.count: 4}}\n"
    (fault,) = faults(text)
    assert (fault.line, fault.where) == (4, "world.graph.file")
    assert "the world 4" in fault.wrong


def test_a_graph_that_cannot_be_had_is_told_with_all_other_faults(
    write: Callable[..., Path], faults: Faults, head: str
) -> None:
    write("0 1\n1 2\n", "ties.txt")
    world = "world: {people: {count: 4}, graph: {file: ties.txt}}\n"
    found = faults(head + world + "strategies: {s: {world.graph.file: no.txt}, t: {record: x}}\n")
    assert [(fault.line, fault.where) for fault in found] == [
        (4, "world.graph.file"), (5, "strategies.s.world.graph.file"), (5, "strategies.t.record"),
    ]  # fmt: skip
