"""Several small numbers in one 64-bit number, so that one plain sort orders by all of them."""

import numpy as np

from sim.units import U64, Array


def width(count: int) -> int:
    """Bits that hold the numbers 0..count-1."""
    return max(1, (count - 1).bit_length())


def pack(top: Array, middle: Array, middle_bits: int, low: Array, low_bits: int) -> U64:
    """(top, middle, low) as one number each; `middle` and `low` must fit their bits."""
    out = top.astype(np.uint64)
    out <<= np.uint64(middle_bits)
    out |= middle.astype(np.uint64, copy=False)
    out <<= np.uint64(low_bits)
    out |= low.astype(np.uint64, copy=False)
    return out


def field(packed: U64, above: int, bits: int) -> U64:
    """The number that is `bits` wide and lies `above` the lowest bits."""
    return (packed >> np.uint64(above)) & np.uint64((1 << bits) - 1)


def shuffled(group: Array, groups: int, luck: U64, most: int | None = None) -> Array:
    """Positions ordered by (group, luck): a random order inside each group; ties in luck keep their order.

    `most` positions (by default as many as there are) leave how many bits of luck are told apart: parts of a whole
    are in the order of the whole if they say how large it is.
    """
    mine, which = width(group.size if most is None else most), width(groups)
    spare = 64 - mine - which
    packed = pack(group, luck >> np.uint64(64 - spare), spare, np.arange(group.size, dtype=np.uint64), mine)
    packed.sort()
    return field(packed, 0, mine).astype(np.int64)
