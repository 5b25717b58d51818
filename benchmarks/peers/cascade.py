"""One independent cascade from the first `seeds` nodes of a Barabási-Albert graph: how many are reached.

`job`: the graph's file, p, and `ties`, which is "one" (p on every tie), "factored" (sender times receiver, p on the
average) or "free" (every tie its own, p on the average). Each function prepares the work and returns what does it.
"""

import random
from array import array

import numpy as np
from worker import serve


def graph(job):
    """Rows, entries, and the probability of each entry, or None."""
    file = np.load(job["graph"])
    indptr, indices, p = file["indptr"], file["indices"], job["p"]
    if job["ties"] == "factored":
        chance = (4 * p * file["sender"]).repeat(np.diff(indptr)) * file["receiver"][indices]
    else:
        chance = 2 * p * file["free"] if job["ties"] == "free" else None
    return indptr, indices, chance


def ours(job):
    from sim import diffusion

    file = np.load(job["graph"])
    rows, seeds = (file["indptr"], file["indices"]), range(job["seeds"])
    net, p = diffusion.network(rows), job["p"]
    if job["ties"] == "factored":
        p = diffusion.Factored(4 * p * file["sender"], file["receiver"])
    if job["ties"] == "free":
        net, p = diffusion.network(rows, weight=2 * p * file["free"]), None
    return lambda seed: diffusion.independent_cascade(net, seeds, p, seed=seed).reach[0]


def cynetdiff(job):
    from cynetdiff.models import IndependentCascadeModel

    indptr, indices, chance = graph(job)
    starts, edges = array("I", indptr[:-1].astype(np.uint32).tobytes()), array("I", indices.astype(np.uint32).tobytes())
    given = {"activation_prob": job["p"]}
    if chance is not None:
        given = {"activation_probs": array("f", chance.astype(np.float32).tobytes())}
    model = IndependentCascadeModel(starts, edges, **given)
    model.set_seeds(range(job["seeds"]))

    def act(seed):
        model.set_rng(seed)
        model.reset_model()
        model.advance_until_completion()
        return model.get_num_activated_nodes()

    return act


def scipy(job):
    from scipy.sparse import csr_array

    indptr, indices, chance = graph(job)
    ties = csr_array((np.ones(indices.size) if chance is None else chance, indices, indptr))

    def act(seed):
        rng, reached = np.random.default_rng(seed), np.zeros(indptr.size - 1, bool)
        front = np.arange(job["seeds"])
        reached[front] = True
        while front.size:
            rows = ties[front]
            hit = rows.indices[rng.random(rows.nnz) < (job["p"] if chance is None else rows.data)]
            front = np.unique(hit[~reached[hit]])
            reached[front] = True
        return reached.sum()

    return act


def _networkx(job):
    import networkx as nx

    indptr, indices, _ = graph(job)
    row = np.arange(indptr.size - 1).repeat(np.diff(indptr))
    once = row < indices
    out = nx.empty_graph(indptr.size - 1)
    out.add_edges_from(zip(row[once].tolist(), indices[once].tolist(), strict=True))
    return out


def networkx(job):
    net, p = _networkx(job), job["p"]

    def act(seed):
        coin, reached = random.Random(seed).random, set(range(job["seeds"]))
        front = list(reached)
        while front:
            told = []
            for u in front:
                for v in net.adj[u]:
                    if v not in reached and coin() < p:
                        reached.add(v)
                        told.append(v)
            front = told
        return len(reached)

    return act


def eon(job):
    import EoN

    net, seeds = _networkx(job), list(range(job["seeds"]))

    def act(seed):
        return EoN.basic_discrete_SIR(net, job["p"], initial_infecteds=seeds, rng=np.random.default_rng(seed))[3][-1]

    return act


def ndlib(job):
    from ndlib.models.epidemics import IndependentCascadesModel
    from ndlib.models.ModelConfig import Configuration

    model, config = IndependentCascadesModel(_networkx(job)), Configuration()
    config.add_model_initial_configuration("Infected", list(range(job["seeds"])))
    for tie in model.graph.edges:
        config.add_edge_configuration("threshold", tie, job["p"])
    model.set_initial_status(config)

    def act(seed):
        np.random.seed(seed)
        model.reset(infected_nodes=list(range(job["seeds"])))
        while True:
            counts = model.iteration(node_status=False)["node_count"]
            if counts[1] == 0:
                return counts[2]

    return act


if __name__ == "__main__":
    serve({f.__name__: f for f in (ours, cynetdiff, scipy, networkx, eon, ndlib)})
