from collections.abc import Callable
from pathlib import Path

import pytest

from sim.config.load import load
from sim.config.model import Scenario
from sim.errors import Fault, ScenarioError

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


CLAIMS = """strategies: {s: {}, t: {}}
compare: {baseline: s}
expects:
  - {metric: margin, strategy: t, is: lower}
  - {metric: margin, strategy: t, than: [s, t], is: higher}
"""


@pytest.mark.parametrize(
    ("claim", "wrong"),
    [
        ("{metric: margim, strategy: t, is: lower}", '"margim" is not a metric; did you mean "margin"?'),
        ("{metric: margin, per: ordes, strategy: t, between: [0, 1]}", '"ordes" is not a metric'),
        ("{metric: margin, strategy: u, is: lower}", '"u" is not a strategy'),
        ("{metric: margin, strategy: t, than: [s, v], is: lower}", '"v" is not a strategy'),
        ("{metric: margin, strategy: s, is: lower}", '"s" is compared with itself'),
        ("{metric: margin, strategy: t, than: t, times: [1, 2]}", '"t" is compared with itself'),
        ("{metric: margin, strategy: t}", "must claim one thing"),
        ("{metric: margin, strategy: t, is: lower, times: [1, 2]}", "must claim one thing"),
        ("{metric: margin, strategy: t, is: less}", "lower"),
        ("{metric: margin, strategy: t, than: s, between: [1, 2]}", "leave out `than`"),
        ("{metric: margin, strategy: t, than: [s, t], times: [1, 2]}", "name one strategy in `than`"),
        ("{metric: margin, per: orders, strategy: t, is: lower}", "name another strategy in `than`"),
        ("{metric: margin, strategy: t, iz: lower}", "iz"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_told_at_its_line(
    write: Callable[..., Path], head: str, claim: str, wrong: str
) -> None:
    metrics = ("margin", "orders")
    assert len(load(write(head + CLAIMS), metrics=metrics).expects) == 2
    path = write(head + CLAIMS + f"  - {claim}\n")
    with pytest.raises(ScenarioError) as told:
        load(path, metrics=metrics)
    (fault,) = told.value.faults
    assert fault.line == (head + CLAIMS).count("\n") + 1
    assert wrong in str(fault)


def test_claims_belong_to_the_scenario_and_not_to_a_strategy(
    write: Callable[..., Path], faults: Faults, head: str
) -> None:
    made = load(write(head + CLAIMS))
    assert [len(strategy.expects) for strategy in made.strategies.values()] == [0, 0]
    assert made.digest == load(write(head + CLAIMS.partition("expects")[0])).digest
    assert Scenario.restore(made.resolved()) == made
    (fault,) = faults(head + CLAIMS.replace("t: {}", "t: {expects: []}"))
    assert "a strategy cannot change `expects`" in fault.wrong
