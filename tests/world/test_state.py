import numpy as np

from sim.world.state import CORE, Column, allocate
from tests.views import make_world


def test_every_column_begins_at_its_default_or_its_opening_value() -> None:
    world = make_world(30)
    extra = (Column("user", "mood", np.float32, 0.5, "hers"),)
    state = allocate(world, CORE + extra, {("merchant", "score"): np.full(world.m, 4.0)})
    rows = {"user": (30,), "merchant": (world.m,)}
    for column in (column for column in CORE + extra if column.table != "slot"):
        values = state[column.table][column.name]
        assert values.dtype == column.dtype
        assert values.shape == rows.get(column.table, values.shape)
        assert (values == (4.0 if column.name == "score" else column.default)).all(), column.name


def test_flags_fit_their_column() -> None:
    from sim.world import state

    flags = [state.FOLLOWS, state.PINNED, state.MEMBER, state.GROUP, state.MINI, state.MUTED, state.DROPPED]
    dtype = next(column.dtype for column in CORE if column.name == "flags")
    assert sum(flags) <= np.iinfo(dtype).max
    assert np.bitwise_or.reduce(flags) == sum(flags)  # no two share a bit
