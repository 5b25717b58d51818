"""The models against every possible world of small graphs, a plain loop on a large one, and laws.

Statistics are held to four standard errors on fixed seeds.
"""

import importlib.util
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim import diffusion, fast

pytestmark = pytest.mark.slow  # `make test` runs it

spec = importlib.util.spec_from_file_location("exact", Path(__file__).with_name("exact.py"))
exact = importlib.util.module_from_spec(spec)
spec.loader.exec_module(exact)

R = 5_000
TIES = [(0, 1), (0, 2), (1, 2), (2, 1), (1, 3), (2, 4), (3, 4), (4, 3), (4, 0), (3, 0)]
GRAPH = nx.DiGraph(TIES)
CHANCE = dict(zip(TIES, (0.5, 0.3, 0.2, 0.9, 0.4, 0.4, 0.7, 0.1, 0.6, 1.0), strict=True))
SENDER, RECEIVER = np.array([0.5, 0.9, 1.0, 0.3, 0.7]), np.array([0.2, 1.0, 0.6, 0.9, 0.4])


def sets(out):
    """The reached set of each replication, as a bit mask."""
    return np.bincount(
        np.repeat(np.arange(out.reach.size), out.reach), weights=2.0**out.node, minlength=out.reach.size
    ).astype(int)


def follows(out, law):
    """Whether reached sets are as frequent as they should be (chi-square, 1e-4)."""
    seen, (keys, expected) = sets(out), zip(*sorted(law.items()), strict=True)
    assert set(seen.tolist()) <= {key for key, p in law.items() if p > 0}
    counts = np.array([(seen == key).sum() for key in keys])
    likely = np.array(expected) * seen.size > 5
    counts = np.append(counts[likely], counts[~likely].sum())
    mean = np.append(np.array(expected)[likely], np.array(expected)[~likely].sum()) * seen.size
    counts, mean = counts[mean > 0], mean[mean > 0]
    return counts.size == 1 or stats.chisquare(counts, mean).pvalue > 1e-4


def weighted(graph, chance):
    nx.set_edge_attributes(graph, chance, "p")
    return diffusion.network(graph, "p")


# exact laws ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coins", [False, True])
def test_cascade_with_one_p_follows_all_worlds(way, coins):
    out = diffusion.independent_cascade(GRAPH, [0], 0.4, replications=R, record="times", coins=coins)
    assert follows(out, exact.cascade_law(5, dict.fromkeys(TIES, 0.4), [0]))


@pytest.mark.parametrize("coins", [False, True])
def test_cascade_with_a_p_per_tie_follows_all_worlds(way, coins):
    net = weighted(GRAPH, CHANCE)
    out = diffusion.independent_cascade(net, [0], replications=R, record="times", coins=coins)
    assert follows(out, exact.cascade_law(5, CHANCE, [0]))


@pytest.mark.parametrize("coins", [False, True])
def test_cascade_with_factors_follows_all_worlds(way, coins):
    net = diffusion.network(GRAPH)
    layer = np.array([place > 0 for row in np.diff(net.indptr) for place in range(row)], np.uint8)
    net = diffusion.Network(net.indptr, net.indices, layer=layer)
    p = diffusion.Factored(SENDER, RECEIVER, (1.0, 0.6))
    chance = {
        (u, int(v)): SENDER[u] * RECEIVER[v] * (1.0, 0.6)[i > 0]
        for u in range(5)
        for i, v in enumerate(net.indices[net.indptr[u] : net.indptr[u + 1]])
    }
    out = diffusion.independent_cascade(net, [0], p, replications=R, record="times", coins=coins)
    assert follows(out, exact.cascade_law(5, chance, [0]))


def test_threshold_follows_its_live_ties(way):
    out = diffusion.linear_threshold(GRAPH, [0], replications=R, record="times")
    degree = dict(GRAPH.in_degree())
    assert follows(out, exact.threshold_law(5, {(u, v): 1 / degree[v] for u, v in TIES}, [0]))


def test_threshold_with_influences_follows_its_live_ties(way):
    influence = dict(zip(TIES, (0.5, 0.3, 0.2, 0.4, 0.9, 0.4, 0.6, 0.1, 0.5, 0.25), strict=True))
    out = diffusion.linear_threshold(weighted(GRAPH, influence), [0], replications=R, record="times")
    assert follows(out, exact.threshold_law(5, influence, [0]))


@pytest.mark.parametrize("response", [(0.3,), (0.0, 1.0), (0.1, 0.6, 0.2), diffusion.saturating(0.5, 0.3)])
def test_contagion_follows_all_needs(way, response):
    out = diffusion.complex_contagion(GRAPH, [0, 3], response, replications=R, record="times")
    assert follows(out, exact.exposure_law(5, TIES, response, [0, 3]))


def test_two_exposures_are_as_likely_as_a_response_says(way):
    star = diffusion.network(nx.DiGraph([(0, 2), (1, 2)]))
    out = diffusion.complex_contagion(star, [0, 1], (0.2, 0.5), replications=R)
    p = 1 - 0.8 * 0.5
    assert abs((out.reach == 3).mean() - p) < 4 * np.sqrt(p * (1 - p) / R)


def test_a_long_row_is_binomial(way):
    """1,000 neighbours: many stretches, each tie on its own."""
    star = nx.star_graph(1_000)
    out = diffusion.independent_cascade(star, [0], 0.03, replications=4_000, record="times")
    told = out.reach - 1
    assert abs(told.mean() - 30) < 4 * np.sqrt(1_000 * 0.03 * 0.97 / 4_000)
    assert abs(told.var(ddof=1) / (1_000 * 0.03 * 0.97) - 1) < 4 * np.sqrt(2 / 4_000)
    each = np.bincount(out.node, minlength=1_001)[1:]
    assert stats.chisquare(each).pvalue > 1e-4


# a large graph ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_large_graph_agrees_with_a_plain_loop(way):
    net = diffusion.network(nx.barabasi_albert_graph(20_000, 5, seed=1))
    out = diffusion.independent_cascade(net, range(50), 0.08, replications=40)
    rng = np.random.default_rng(1)
    plain = np.array([exact.plain_cascade(net, range(50), 0.08, rng) for _ in range(40)])
    error = np.hypot(out.standard_error, plain.std(ddof=1) / np.sqrt(40))
    assert abs(out.reach.mean() - plain.mean()) < 2 * error


def test_a_cascade_is_a_contagion_with_one_p(way):
    net = diffusion.network(nx.barabasi_albert_graph(500, 4, seed=2))
    one = diffusion.independent_cascade(net, [7, 8], 0.1, replications=2_000)
    other = diffusion.complex_contagion(net, [7, 8], (0.1,), replications=2_000)
    assert abs(one.reach.mean() - other.reach.mean()) < 4 * np.hypot(one.standard_error, other.standard_error)


# the same, however it is computed -----------------------------------------------------------------------------

BIG = diffusion.network(nx.barabasi_albert_graph(3_000, 5, seed=3))
RNG = np.random.default_rng(4)
HEAVY = diffusion.network((BIG.indptr, BIG.indices), RNG.random(BIG.m) * 0.2)
LAYERED = diffusion.Network(
    BIG.indptr, BIG.indices, layer=np.minimum((np.arange(BIG.m) - BIG.indptr[BIG.owner()]) // 3, 2).astype(np.uint8)
)
FACTORS = diffusion.Factored(RNG.random(3_000) * 0.3, RNG.random(3_000), (1.0, 0.7, 0.4))
CASES = {
    "one p": lambda **more: diffusion.independent_cascade(BIG, [5, 6], 0.1, **more),
    "a p per tie": lambda **more: diffusion.independent_cascade(HEAVY, [5, 6], **more),
    "factors": lambda **more: diffusion.independent_cascade(LAYERED, [5, 6], FACTORS, **more),
    "coins": lambda **more: diffusion.independent_cascade(BIG, [5, 6], 0.1, coins=True, **more),
    "coins per tie": lambda **more: diffusion.independent_cascade(HEAVY, [5, 6], coins=True, **more),
    "coins of factors": lambda **more: diffusion.independent_cascade(LAYERED, [5, 6], FACTORS, coins=True, **more),
    "threshold": lambda **more: diffusion.linear_threshold(BIG, range(99), **more),
    "influence": lambda **more: diffusion.linear_threshold(
        diffusion.network((BIG.indptr, BIG.indices), 1 / BIG.in_degree()[BIG.indices]), range(99), **more
    ),
    "contagion": lambda **more: diffusion.complex_contagion(BIG, range(99), (0.02, 0.2, 0.1), **more),
}


def same(one, other):
    fields = ("reach", "curve", "start", "node", "time", "parent")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in fields)


@pytest.mark.parametrize("case", CASES)
def test_numpy_and_compiled_agree_to_the_last_node(case, monkeypatch):
    out = CASES[case](replications=5, record="tree")
    monkeypatch.setattr(fast, "present", False)
    assert same(out, CASES[case](replications=5, record="tree"))


@pytest.mark.parametrize("case", CASES)
def test_a_replication_does_not_depend_on_company_blocks_or_threads(case, way, monkeypatch):
    out = CASES[case](replications=5, record="tree")
    monkeypatch.setattr("sim.diffusion.arrays.BESIDE", 1)
    monkeypatch.setattr("sim.diffusion.arrays.BLOCK", 37)
    monkeypatch.setattr("sim.diffusion.arrays.FEW", 0)
    assert same(out, CASES[case](replications=5, record="tree", threads=2))
    first = CASES[case](replications=2, record="tree")
    assert np.array_equal(first.parents(1), out.parents(1))
    assert first.reach.tolist() == out.reach[:2].tolist()


@pytest.mark.parametrize("case", CASES)
def test_what_is_recorded_changes_nothing(case, way):
    reach, times, tree = (CASES[case](replications=3, record=record) for record in ("reach", "times", "tree"))
    assert reach.curve.tolist() == times.curve.tolist() == tree.curve.tolist()
    assert times.time.tolist() == tree.time.tolist()


@pytest.mark.parametrize("case", CASES)
def test_a_tree_leads_from_step_to_step_along_ties(case, way):
    out = CASES[case](replications=2, record="tree")
    time, parent = out.times(1), out.parents(1)
    child = (parent >= 0).nonzero()[0]
    assert (time[child] == time[parent[child]] + 1).all()
    ties = set(zip(BIG.owner().tolist(), BIG.indices.tolist(), strict=True))
    assert set(zip(parent[child].tolist(), child.tolist(), strict=True)) <= ties
    assert (out.curve[1][: time.max() + 1] == np.bincount(time[time >= 0])).all()
    assert child.size + out.curve[1][0] == out.reach[1]


def test_a_parent_is_any_of_those_who_succeed_in_the_same_step(way):
    net = diffusion.network(([0, 1, 2, 3, 4, 4], [4, 4, 4, 4]))
    out = diffusion.independent_cascade(net, range(4), 1.0, replications=2_000, record="tree")
    parents = out.parent[out.node == 4]
    assert stats.chisquare(np.bincount(parents, minlength=4)).pvalue > 1e-4


def test_steps_end_it(way):
    path = nx.path_graph(9)
    assert diffusion.independent_cascade(path, [0], 1.0, steps=3).curve.tolist() == [[1, 1, 1, 1]]
    assert diffusion.independent_cascade(path, [0], 1.0, steps=0).reach.tolist() == [1]
    assert diffusion.complex_contagion(path, [0], 1.0).curve.tolist() == [[1] * 9]


# laws ---------------------------------------------------------------------------------------------------------

graphs = st.integers(0, 9).map(lambda k: nx.gnp_random_graph(40, 0.1, seed=k, directed=True))
nodes = st.lists(st.integers(0, 39), max_size=4)


def reached(out):
    return [set((out.times(r) >= 0).nonzero()[0].tolist()) for r in range(out.reach.size)]


@given(graphs, nodes, nodes, st.floats(0, 1))
def test_seeds_together_reach_what_they_reach_alone(graph, a, b, p):
    one, other, both = (
        reached(diffusion.independent_cascade(graph, seeds, p, replications=3, record="times"))
        for seeds in (a, b, a + b)
    )
    assert both == [x | y for x, y in zip(one, other, strict=True)]


@given(graphs, nodes, nodes, st.floats(0, 1))
def test_more_seeds_reach_more_in_threshold_models(graph, a, b, p):
    for model in (diffusion.linear_threshold, lambda *g, **more: diffusion.complex_contagion(*g, (p / 2, p), **more)):
        few, many = (reached(model(graph, seeds, replications=3, record="times")) for seeds in (a, a + b))
        assert all(x <= y for x, y in zip(few, many, strict=True))


@given(graphs, nodes, st.floats(0, 1), st.floats(0, 1))
def test_with_coins_a_larger_p_reaches_more(graph, seeds, p, q):
    low, high = (
        reached(diffusion.independent_cascade(graph, seeds, x, replications=3, record="times", coins=True))
        for x in sorted((p, q))
    )
    assert all(x <= y for x, y in zip(low, high, strict=True))


@given(graphs, nodes, st.floats(0, 1), st.floats(0, 1))
def test_a_larger_response_reaches_more(graph, seeds, p, q):
    low, high = (
        reached(diffusion.complex_contagion(graph, seeds, (0.1, x, 0.3), replications=3, record="times"))
        for x in sorted((p, q))
    )
    assert all(x <= y for x, y in zip(low, high, strict=True))


@given(graphs, nodes, st.booleans())
def test_never_and_always(graph, seeds, coins):
    never = diffusion.independent_cascade(graph, seeds, 0.0, replications=2, record="times", coins=coins)
    always = diffusion.independent_cascade(graph, seeds, 1.0, replications=2, record="times", coins=coins)
    assert reached(never) == [set(seeds)] * 2
    assert reached(always) == [set(seeds).union(*(nx.descendants(graph, s) for s in seeds))] * 2
    lengths = nx.multi_source_dijkstra_path_length(graph, set(seeds)) if seeds else {}
    assert always.times(1).tolist() == [lengths.get(v, -1) for v in range(40)]


def test_isolated_nodes_stay_alone(way):
    graph = nx.empty_graph(5)
    for out in (
        diffusion.independent_cascade(graph, [0, 3], 1.0, record="tree"),
        diffusion.linear_threshold(graph, [0, 3], record="tree"),
        diffusion.complex_contagion(graph, [0, 3], 1.0, record="tree"),
    ):
        assert out.times().tolist() == [0, -1, -1, 0, -1]
        assert out.parents().tolist() == [-1] * 5


def test_without_ties_nobody_is_told(way):
    weighted_ties = diffusion.network(([0, 0, 0], []), [])
    assert diffusion.independent_cascade(weighted_ties, [0], replications=2, record="tree").reach.tolist() == [1, 1]
    last = diffusion.network(([0, 1, 1], [1]), [1.0])
    assert diffusion.independent_cascade(last, [0, 1], replications=2).reach.tolist() == [2, 2]


def test_an_empty_network_and_no_replications(way):
    assert diffusion.independent_cascade(nx.Graph(), [], 0.5, replications=2).reach.tolist() == [0, 0]
    assert diffusion.independent_cascade(nx.path_graph(3), [0], 0.5, replications=0).reach.tolist() == []


def test_names_of_nodes_do_not_matter(way):
    graph = nx.DiGraph(nx.karate_club_graph())
    other = nx.DiGraph()
    other.add_nodes_from(f"member {v}" for v in graph)
    other.add_edges_from((f"member {u}", f"member {v}") for u in graph for v in graph.adj[u])
    one = diffusion.independent_cascade(graph, [0, 33], 0.2, replications=4, record="tree")
    two = diffusion.independent_cascade(other, ["member 0", "member 33"], 0.2, replications=4, record="tree")
    assert same(one, two)
    assert set(two.tree(2)) == {f"member {v}" for v in one.tree(2)}


def test_seeds_may_differ_by_replication(way):
    path = nx.path_graph(4)
    out = diffusion.independent_cascade(path, [[0], [3, 3], []], 0.0, replications=3, record="times")
    assert [out.times(r).tolist() for r in range(3)] == [[0, -1, -1, -1], [-1, -1, -1, 0], [-1] * 4]


def test_seed_of_luck_matters(way):
    out = [diffusion.independent_cascade(BIG, [5], 0.1, seed=seed, replications=3).reach.tolist() for seed in (0, 1, 0)]
    assert out[0] == out[2] != out[1]


# what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: diffusion.independent_cascade(GRAPH, [0], 1.5), ValueError, "p must lie in 0 to 1"),
        (lambda: diffusion.independent_cascade(GRAPH, [0]), ValueError, "give p, or a network"),
        (lambda: diffusion.independent_cascade(GRAPH, [0], [0.1] * 10), ValueError, "p is one number"),
        (lambda: diffusion.independent_cascade(GRAPH, ["x"], 0.5), KeyError, "none is called .*x"),
        (
            lambda: diffusion.independent_cascade(nx.relabel_nodes(GRAPH, str), ["x"], 0.5),
            KeyError,
            "has no node 'x'",
        ),
        (lambda: diffusion.independent_cascade(HEAVY, [3_000]), IndexError, "none of number"),
        (lambda: diffusion.independent_cascade(BIG, [0], 0.5, record="all"), ValueError, "record must be one of"),
        (lambda: diffusion.independent_cascade(BIG, [[0]], 0.5, replications=2), ValueError, "1 sets of seeds for 2"),
        (lambda: diffusion.independent_cascade(LAYERED, [0], diffusion.Factored()), ValueError, "has layer 2"),
        (
            lambda: diffusion.independent_cascade(GRAPH, [0], diffusion.Factored([0.1, 0.2])),
            ValueError,
            "of the 5 nodes",
        ),
        (lambda: diffusion.independent_cascade(weighted(GRAPH, dict.fromkeys(TIES, 2.0)), [0]), ValueError, "0 to 1"),
        (lambda: diffusion.linear_threshold(weighted(GRAPH, dict.fromkeys(TIES, 0.9)), [0]), ValueError, "add up"),
        (lambda: diffusion.complex_contagion(GRAPH, [0], ()), ValueError, "a row of probabilities"),
        (lambda: diffusion.complex_contagion(GRAPH, [0], (2.0,)), ValueError, "0 to 1"),
        (lambda: diffusion.saturating(0.5, 1.0), ValueError, "decay"),
        (lambda: diffusion.independent_cascade(GRAPH, [0], 0.5).times(), ValueError, 'record="times"'),
        (lambda: diffusion.independent_cascade(GRAPH, [0], 0.5, record="times").parents(), ValueError, "tree"),
    ],
)
def test_what_makes_no_sense_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
