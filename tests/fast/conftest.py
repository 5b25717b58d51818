"""Twins exist only where numba does; everything else about `sim.fast` is tested in any case."""

from sim import fast

_OF_TWINS = [f"test_{name}.py" for name in ("compiled", "draws", "elementary", "kernels", "ledger", "world")]
collect_ignore_glob = [] if fast.present else _OF_TWINS
