import gzip
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sim import draws
from sim.world.graph import SocialGraph
from sim.world.params import GeneratorParams, GraphParams, WorldParams
from sim.world.sources import check, communities, generate, generators, numbered, outside, read, tied
from tests.world.measures import clustering

pytestmark = pytest.mark.slow  # `make test` runs it

FACEBOOK = Path(__file__).parents[2] / "data" / "ego-facebook.txt.gz"


@pytest.fixture(scope="module")
def facebook() -> SocialGraph:
    keys = draws.keys(1, "user", 4_039)
    return tied(outside(GraphParams(file=FACEBOOK), 4_039, 1), keys)


def test_facebook_is_read_whole(facebook: SocialGraph) -> None:
    assert facebook.rows == 4_039
    assert facebook.indices.size == 2 * 88_234
    assert clustering(facebook, np.arange(4_039)).mean() == pytest.approx(0.6055, abs=5e-5)


def test_on_facebook_the_closest_have_most_friends_in_common(facebook: SocialGraph) -> None:
    def overlap(person: int, friend: int) -> float:
        ours, theirs = set(facebook.row(person).tolist()), set(facebook.row(friend).tolist())
        return len(ours & theirs) / max(len(ours | theirs) - 2, 1)

    people = np.flatnonzero(facebook.degree >= 30)[::50].tolist()
    closest = [overlap(person, friend) for person in people for friend in facebook.row(person)[:10].tolist()]
    last = [overlap(person, friend) for person in people for friend in facebook.row(person)[-10:].tolist()]
    assert np.mean(closest) > 1.5 * np.mean(last)


def test_communities_hold_friends_together(facebook: SocialGraph) -> None:
    keys = draws.keys(1, "user", 4_039)
    label = communities(facebook, keys)
    assert sorted(set(label)) == list(range(label.max() + 1))
    together = (label[facebook.owner()] == label[facebook.indices]).mean()
    by_chance = ((np.bincount(label) / label.size) ** 2).sum()
    assert together > 5 * by_chance
    assert 50 < label.max() < 2_000


def test_in_a_ring_of_strangers_everybody_joins_the_highest_neighbour() -> None:
    keys = draws.keys(1, "user", 6)
    u = np.arange(6)
    graph = SocialGraph.from_edges(6, u, (u + 1) % 6, np.zeros(6, np.uint16))
    label = communities(graph, keys)
    rank = draws.bits("world.sources/pivot", keys).tolist()
    first = [min((rank[(i + d) % 6], (i + d) % 6) for d in (-1, 0, 1))[1] for i in range(6)]
    for i in range(6):
        for j in range(6):
            assert (label[i] == label[j]) == (first[i] == first[j])


@pytest.mark.parametrize("ending", ["txt", "txt.gz", "edgelist", "csv", "graphml", "graphml.gz", "gexf"])
def test_files_come_back(tmp_path: Path, ending: str) -> None:
    graph = nx.gnp_random_graph(30, 0.2, seed=4)
    nx.add_path(graph, range(30))
    path = tmp_path / f"ties.{ending}"
    kind = ending.removesuffix(".gz")
    if kind == "csv":
        nx.write_edgelist(graph, path, delimiter=",", data=False)
    elif kind in ("txt", "edgelist"):
        nx.write_edgelist(graph, path, data=False)
    else:
        {"graphml": nx.write_graphml, "gexf": nx.write_gexf}[kind](graph, path)
    got = read(path)
    assert list(got) == list(range(30))
    assert set(map(frozenset, got.edges())) == set(map(frozenset, graph.edges()))


def test_comments_are_passed_over_and_loops_and_doubles_dropped(tmp_path: Path) -> None:
    path = tmp_path / "ties.txt.gz"
    path.write_bytes(gzip.compress(b"# a comment\n10 9\n9 10\n9 9\n2 10\n"))
    assert sorted(map(sorted, read(path).edges())) == [[0, 2], [1, 2]]  # 2, 9 and 10 become 0, 1 and 2


def test_names_that_are_no_numbers_go_by_alphabet() -> None:
    graph = numbered(nx.Graph([("li", "wang"), ("wang", "chen")]))
    assert sorted(map(sorted, graph.edges())) == [[0, 2], [1, 2]]
    grid = numbered(nx.grid_2d_graph(2, 11))
    assert grid.has_edge(0, 1)  # (0, 0) and (0, 1)
    assert grid.has_edge(0, 11)  # (0, 0) and (1, 0)
    assert numbered(nx.Graph([("li", 3)])).number_of_edges() == 1


def test_weights_order_ties(tmp_path: Path) -> None:
    path = tmp_path / "ties.txt"
    path.write_text("".join(f"0 {friend} {weight}\n" for friend, weight in ((1, 2.5), (2, 90), (3, 0.1), (4, 7))))
    keys = draws.keys(1, "user", 5)
    assert tied(read(path), keys).row(0).tolist()[0] == 2  # by rank, with luck of half that width
    assert tied(read(path), keys).row(0).tolist()[-1] == 3


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ties.txt"
    path.write_text("0 1\n")
    assert read(path).number_of_nodes() == 2
    path.write_text("0 1\n1 2\n")
    assert read(path).number_of_nodes() == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("ties.xlsx", "", "its name must end in one of: txt"),
        ("ties.graphml", "<not xml", "cannot read 'ties.graphml' as a graph"),
        ("ties.txt.gz", "plain text", "cannot read 'ties.txt.gz' as a graph"),
    ],
)
def test_files_that_are_no_graph(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        read(path)


def test_any_generator_by_name() -> None:
    arguments = {"generator": "barabasi_albert_graph", "m": 4}
    graph = generate(GeneratorParams(**arguments), 200, 1)
    assert graph.number_of_nodes() == 200
    assert graph.number_of_edges() == 4 * 196
    assert nx.utils.graphs_equal(graph, generate(GeneratorParams(**arguments), 200, 1))
    assert not nx.utils.graphs_equal(graph, generate(GeneratorParams(**arguments), 200, 2))
    given = generate(GeneratorParams(generator="watts_strogatz_graph", n=50, k=4, p=0.1, seed=9), 50, 1)
    assert nx.utils.graphs_equal(given, nx.watts_strogatz_graph(50, 4, 0.1, seed=9))
    assert generate(GeneratorParams(generator="karate_club_graph"), 34, 1).number_of_edges() == 78
    assert {"gnp_random_graph", "configuration_model", "random_partition_graph"} <= set(generators())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator": "barabasi_albert_grap"}, "did you mean 'barabasi_albert_graph'"),
        ({"generator": "read_gml"}, "no generator 'read_gml'"),
        ({"generator": "barabasi_albert_graph"}, "missing 1 required positional argument: 'm'"),
        ({"generator": "barabasi_albert_graph", "m": 0}, "m >= 1"),
        ({"generator": "gn_graph"}, "undirected"),
        ({"generator": "gaussian_random_partition_graph", "s": 9, "v": 9, "p_in": 0.5, "p_out": 0.1, "directed": True},
         "undirected"),
        ({"generator": "triad_graph", "triad_name": "300"}, "undirected"),
        ({"generator": "random_degree_sequence_graph", "sequence": "x"}, "networkx.random_degree_sequence_graph"),
        ({"generator": "random_labeled_tree", "n": 12, "backend": "none"}, "networkx.random_labeled_tree"),
        ({"generator": "ego_graph", "G": 1}, "networkx.ego_graph"),
        ({"generator": "karate_club_graph"}, "34 people, the world 100; write people: {count: 34}"),
    ],
)  # fmt: skip
def test_generators_that_cannot_be_used(arguments: dict[str, object], message: str) -> None:
    params = WorldParams(people={"count": 100}, graph={"networkx": arguments})
    with pytest.raises(ValueError, match=message):
        check(params)


def test_a_list_is_not_a_graph() -> None:
    with pytest.raises(ValueError, match="does not return a graph"):
        generate(GeneratorParams(generator="random_powerlaw_tree_sequence", tries=100_000), 10, 1)


def test_check_passes_what_can_be_built() -> None:
    check(WorldParams())
    check(WorldParams(people={"count": 4_039}, graph={"file": FACEBOOK}))
    with pytest.raises(ValueError, match=r"4039 people, the world 5000; write people: \{count: 4039\}"):
        check(WorldParams(graph={"file": FACEBOOK}))
