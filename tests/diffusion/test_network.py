import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array

from sim import diffusion
from sim.world.graph import SocialGraph


def rows(net):
    return [net.indices[net.indptr[i] : net.indptr[i + 1]].tolist() for i in range(net.n)]


def test_graphs_of_every_kind_are_the_same_network():
    graph = nx.Graph([(0, 1), (0, 2), (1, 3)])
    u, v = np.array([(0, 1), (0, 2), (1, 3)]).T
    expected = [[1, 2], [0, 3], [0], [1]]
    matrix = csr_array(nx.to_numpy_array(graph))
    for kind in (
        graph,
        matrix,
        matrix.tocoo(),
        (matrix.indptr, matrix.indices),
        SocialGraph.from_edges(4, u, v, np.array([9, 5, 7], np.uint16)),
        diffusion.network(graph),
    ):
        assert [sorted(row) for row in rows(diffusion.network(kind))] == expected
    assert diffusion.network(nx.DiGraph(graph.edges)).in_degree().tolist() == [0, 1, 1, 1]


def test_several_ties_count_once():
    assert rows(diffusion.network(nx.MultiDiGraph([(0, 1), (0, 1)]))) == [[1], []]


def test_rows_are_ordered_by_weight_and_equal_ones_stay():
    net = diffusion.network((np.array([0, 4, 5, 5, 5, 5]), np.array([1, 2, 3, 4, 0])), [0.1, 0.5, 0.1, 0.9, 0.2])
    assert rows(net) == [[4, 2, 1, 3], [0], [], [], []]
    assert net.weight.tolist() == [0.9, 0.5, 0.1, 0.1, 0.2]
    assert net.heaviest == 0.9


def test_weights_come_from_attributes_and_matrices():
    graph = nx.DiGraph()
    graph.add_weighted_edges_from([("a", "b", 0.2), ("a", "c", 0.7), ("c", "a", 0.3)], weight="p")
    net = diffusion.network(graph, "p")
    assert net.labels == ("a", "b", "c")
    assert rows(net) == [[2, 1], [], [0]]
    matrix = nx.to_scipy_sparse_array(graph, weight="p")
    assert diffusion.network(matrix, True).weight.tolist() == net.weight.tolist() == [0.7, 0.2, 0.3]


def test_a_social_graph_keeps_its_layers():
    star = SocialGraph.from_edges(9, np.zeros(8, int), np.arange(1, 9), np.arange(8, dtype=np.uint16))
    assert diffusion.network(star).layer[:8].tolist() == [0] * 5 + [1] * 3


@pytest.mark.parametrize(
    ("graph", "weight", "words"),
    [
        (([1, 2], [0]), None, "begins with 0"),
        (([0, 2, 1], [0]), None, "never falls"),
        (([0, 2], [0]), None, "there are 2 entries"),
        (([0, 1], [1]), None, "must lie in 0 to 0"),
        (([0, 1], [0]), [1.0, 2.0], "one number for each"),
        (([0, 1], [0]), [-1.0], "not be negative"),
        (([0, 1], [0]), [np.nan], "not be negative"),
    ],
)
def test_parts_that_do_not_fit_are_refused(graph, weight, words):
    with pytest.raises(ValueError, match=words):
        diffusion.network(graph, weight)


@pytest.mark.parametrize(
    "factors", [{"sender": 2.0}, {"receiver": np.array([0.5, -0.1])}, {"levels": (1.2,)}, {"levels": (0.5, 0.6)}]
)
def test_factors_out_of_range_are_refused(factors):
    with pytest.raises(ValueError, match="must"):
        diffusion.Factored(**factors)
