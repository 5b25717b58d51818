# ---
# jupyter: {jupytext: {text_representation: {extension: .py, format_name: percent}}}
# ---

# %% [markdown]
# # Why most cascades die
#
# A lesson of 45 minutes. It is plain Python: run it as it is, or open it as a notebook (VS Code shows the cells; with
# jupytext: `jupytext --to notebook why_most_cascades_die.py`). It takes seconds.
#
# **The question.** A brand hopes that its post "goes viral". Somebody shares it; her friends see it; some of them share it
# again. How far does one share go?
#
# | minutes | what |
# |---|---|
# | 5 | the question, and everybody's prediction |
# | 10 | one number, R, and what it says |
# | 15 | the same number among people who know each other |
# | 5 | a simulated town |
# | 10 | the exercise |
#
# **Predict first.** Every share leads to half a further share on average, R = 0.5. Ten thousand people share a post of
# ours. Write down (a) how many of these shares lead to nothing at all; (b) how many people the average one reaches;
# (c) how many the largest reaches. And if R grows from 0.5 to 0.9?

# %%
import math
from itertools import pairwise

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np

import sim
from sim import diffusion

PEOPLE, TIES = 5_000, 20

# %% [markdown]
# ## One number
#
# Let everybody have 20 ties at random, and let each tie pass the post on with probability R / 20. Then the number of
# further shares is Poisson with mean R: a *branching process* (Galton and Watson 1875). It dies out for sure if R < 1,
# and theory knows the rest:
#
# - nothing happens at all with probability exp(-R);
# - the average cascade has 1 / (1 - R) people, herself included;
# - exactly n people with probability exp(-R n) (R n)^(n-1) / n! (Borel 1942).

# %%
alike = nx.gnm_random_graph(PEOPLE, PEOPLE * TIES // 2, seed=1)


def cascades(graph, p, replications=1_500):
    """Sizes of cascades that begin with one person each."""
    first = [[person % PEOPLE] for person in range(replications)]
    return diffusion.independent_cascade(graph, first, p, replications=replications).reach


one_number = {}
print(f"{'R':>4}{'alone':>8}{'exp(-R)':>9}{'mean':>7}{'1/(1-R)':>9}{'largest':>9}")
for R in (0.2, 0.5, 0.8):
    size = one_number[R] = cascades(alike, R / TIES)
    alone, mean = (size == 1).mean(), size.mean()
    print(f"{R:>4}{alone:>8.3f}{math.exp(-R):>9.3f}{mean:>7.2f}{1 / (1 - R):>9.2f}{size.max():>9}")

# %% [markdown]
# So at R = 0.5 six in ten shares lead to nothing, and the average one reaches one further person. Even at R = 0.8, where
# the average is five, nearly half die at once: the average is made by a few large ones. That is the *heavy tail*. On
# logarithmic axes it is nearly a straight line, more so the nearer R comes to 1 (then P(size ≥ n) ~ 1 / √n).

# %%
figure, axes = plt.subplots()
for R, size in one_number.items():
    n = np.unique(size)
    axes.loglog(n, [(size >= each).mean() for each in n], "o", markersize=3, label=f"R = {R}")
axes.set(xlabel="n people", ylabel="share of cascades with at least n", title="The heavy tail")
axes.legend()

# %% [markdown]
# ## People who know each other
#
# People are not alike: some have five ties, some a hundred. And friends know each other. This is the town of the shipped
# scenarios: family, work, school; as many ties, the same probability for each. Three worlds:
#
# 1. *alike*: 20 ties each, at random;
# 2. *strangers*: everybody has as many ties as in the town, also to people with as many, but to others: friends of a
#    friend do not know each other;
# 3. *friends*: the town itself.
#
# **Predict**: in which of them do most cascades die at once? In which is the largest one?

# %%
base = sim.load("base")
friends = sim.build_world(base.world, base.merchants, (7,)).graph.to_networkx()


def strangers_of(graph, levels=20):
    """The same degrees, and the same mixing of high with low ones, without the circles of friends."""
    rng = np.random.default_rng(1)
    degree = np.array([graph.degree[person] for person in range(len(graph))])
    level = np.searchsorted(np.quantile(degree, np.linspace(0, 1, levels + 1)[1:-1]), degree)
    u, v = np.array(graph.edges).T
    turned = (level[u] > level[v]) | ((level[u] == level[v]) & (rng.random(u.size) < 0.5))
    u, v = np.where(turned, v, u), np.where(turned, u, v)
    kind = level[u] * levels + level[v]
    rewired = nx.empty_graph(len(graph))
    same, mixed = np.argsort(kind, kind="stable"), np.lexsort((rng.random(u.size), kind))
    rewired.add_edges_from(zip(u[same].tolist(), v[mixed].tolist(), strict=True))
    rewired.remove_edges_from(list(nx.selfloop_edges(rewired)))
    return rewired


worlds = {"alike": alike, "strangers": strangers_of(friends), "friends": friends}
p = 0.4 / TIES
unequal = {name: cascades(graph, p) for name, graph in worlds.items()}
print(f"{'':<10}{'ties':>6}{'clustering':>12}{'alone':>8}{'mean':>7}{'largest':>9}")
for name, graph in worlds.items():
    size, ties = unequal[name], 2 * graph.number_of_edges() / PEOPLE
    clustering = nx.transitivity(graph)
    print(f"{name:<10}{ties:>6.1f}{clustering:>12.2f}{(size == 1).mean():>8.3f}{size.mean():>7.2f}{size.max():>9}")

# %% [markdown]
# In the town *more* cascades die at once, and the largest are far larger, with the same ties and the same probability. Most
# people have few ties: theirs die. A few have very many, and know others who have. R is no longer one number: who is
# reached along a tie has more ties than the average person has (people's friends have more friends than they do), so
# the R of the second step is larger than that of the first:

# %%
degrees = np.array([degree for _, degree in friends.degree])
first_step, later_steps = p * degrees.mean(), p * ((degrees**2).mean() / degrees.mean() - 1)
print(f"R of the first step {first_step:.2f}, of later ones about {later_steps:.2f}")

# %% [markdown]
# That friends know each other hardly matters here: *strangers* and *friends* are close. It matters as soon as one telling is
# not enough. Let a person share only after two friends did (*complex contagion*), and begin with a person and four friends:

# %%
twice = {}
for name in ("strangers", "friends"):
    groups = [[person, *sorted(worlds[name][person])[:4]] for person in range(500)]
    out = diffusion.complex_contagion(worlds[name], groups, (0, 0.05), replications=len(groups))
    twice[name] = np.array([reach > len(group) for reach, group in zip(out.reach.tolist(), groups, strict=True)])
    print(f"{name:<10} go beyond the first five: {twice[name].mean():.2f}")

# %% [markdown]
# ## A simulated town
#
# Nobody gave R in a market: it comes out of who buys, is pleased, and tells whom. A tea shop in a town of 400 people who
# like to talk:

# %%
from pathlib import Path

Path("talkative.yaml").write_text("""
title: A town that likes to talk
horizon: {start: 2025-03-03, days: 14, tick: 6h}
seed: 7
world: {people: {count: 400}}
platform: {search_engine: {}}
people: {browse: {opens: 1}, search_intent: {}, buy: {nothing: 2}, repurchase: {},
         share: {after_order: 0.4, after_view: 0.05, forward: 0.2}}
merchants:
  tea_house:
    products: {longjing: {category: tea, price: 168, cost: 62, cycle_days: 10}}
    channels: {store: {}}
""")
(ledger,) = sim.run(sim.load("talkative.yaml"), (7,))
found = sim.genealogy(ledger, "shares").summary()
low, high = found["branching_low"], found["branching_high"]
print(f"{found['nodes']:.0f} shares in {found['trees']:.0f} cascades, the largest of {found['size_max']:.0f}")
print(f"branching ratio {found['branching']:.2f}, 95 % interval {low:.2f} .. {high:.2f}")
print(f"mean size {found['size_mean']:.2f}, which is 1 / (1 - R): the same count, told in two ways")

# %% [markdown]
# ## The exercise
#
# A brand can pay for twice as many first shares, or for a better post that lifts R. With R = 0.5 and 1,000 first shares it
# reaches 2,000 people.
#
# 1. How much must R grow to reach as many as with twice the first shares? Why is the answer so different at R = 0.9?
# 2. Somebody shows you one cascade of 500 people and says that her post "went viral". What would you ask for?
# 3. Change `forward` in the town to 0.1 and to 0.4. Does the branching ratio double? What else has to happen before
#    somebody can forward anything?
#
# The answer to the first, computed: seeds / (1 - R) doubles when 1 - R halves.

# %%
needed = {R: 1 - (1 - R) / 2 for R in (0.1, 0.5, 0.9)}
for R, new in needed.items():
    print(f"from R = {R} to {new:.2f}: plus {(new - R) / R:.0%}")
assert all((later - R) / R < (earlier - S) / S for (S, earlier), (R, later) in pairwise(needed.items()))
