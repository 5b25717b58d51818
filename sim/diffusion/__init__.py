"""How something spreads on a network: independent cascade, linear threshold, complex contagion.

::

    from sim import diffusion

    net = diffusion.network(graph)          # networkx, scipy.sparse, (indptr, indices) or a SocialGraph
    out = diffusion.independent_cascade(net, seeds=[0, 1], p=0.05, replications=1_000)
    out.reach.mean(), out.standard_error

For its own sake: nothing here knows of shops or people. Every draw has an address (`sim.draws`) made of the seed, the
replication, the node and the place in its row; so a replication's result depends neither on how many run beside it,
nor on threads, nor on whether numba is there (the extra ``fast``), to the last bit.
"""

from sim.diffusion.cascades import Cascades as Cascades
from sim.diffusion.models import complex_contagion as complex_contagion
from sim.diffusion.models import independent_cascade as independent_cascade
from sim.diffusion.models import linear_threshold as linear_threshold
from sim.diffusion.models import saturating as saturating
from sim.diffusion.network import Factored as Factored
from sim.diffusion.network import Network as Network
from sim.diffusion.network import network as network

__all__ = [
    "Cascades",
    "Factored",
    "Network",
    "complex_contagion",
    "independent_cascade",
    "linear_threshold",
    "network",
    "saturating",
]
