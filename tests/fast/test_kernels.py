import numpy as np

from sim import draws, fast
from sim.kernels import choice

N = 20_000
EVENT = draws.keys(1, "choice", N)


def test_columns_by_share_are_the_same(monkeypatch):
    weight = draws.uniform("weight", EVENT[:, None], np.arange(7)).astype(np.float32)
    spin = draws.uniform("spin", EVENT[:, None], np.arange(3))
    compiled = choice.by_share(weight, spin)
    monkeypatch.setattr(fast, "present", False)
    assert np.array_equal(compiled, choice.by_share(weight, spin))


def test_races_have_the_same_winner(monkeypatch):
    table, weight = np.array([[0, 1, 2], [3, 2, 4]]), draws.uniform("w", np.arange(10, dtype=np.uint64)).reshape(2, 5)
    lane, world, row = np.arange(N) % 4, np.arange(N) % 2, np.arange(N) // 3 % 2
    args = ("test", EVENT, lane, world, table, row, np.arange(5) * 4, weight)
    compiled = choice.race(*args)
    monkeypatch.setattr(fast, "present", False)
    assert np.array_equal(compiled, choice.race(*args))
