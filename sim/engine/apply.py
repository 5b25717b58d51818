"""Where effects become state: the one place that writes, and that checks conservation each time it does."""

from collections.abc import Iterable, Mapping

import numpy as np

from sim.contract import LAYERS, Effects, Exposures, spread
from sim.errors import ContractError
from sim.kernels import segments, slots
from sim.ledger.schema import Records
from sim.units import I64, Array
from sim.world.relations import Relations, lasting
from sim.world.state import SLOTS, State

_REDUCTION = LAYERS.index("reduction")
_PRICE_AND_REDUCTION = 1 << LAYERS.index("price") | 1 << _REDUCTION


def change_users(state: State, user: Array, effects: Iterable[Effects]) -> None:
    """Apply `set` and `add` on the acting users' own rows; `user` maps sessions to users."""
    for one in effects:
        for op, column, session, value in one.changes:
            if op == "set":
                state["user"][column][user[session]] = value
            else:
                np.add.at(state["user"][column], user[session], value)


def change_relations(relations: Relations, user: Array, effects: Iterable[Effects]) -> None:
    """Apply changes of relations, beginning those that are not there yet if the user has a slot to spare."""
    changes = [change for one in effects for change in one.relations]
    if not changes:
        return
    who = user[np.concatenate([change[2] for change in changes])]
    merchant = np.concatenate([change[3] for change in changes])
    places = relations.find(who, merchant)
    begins = np.array([change[0] != "clear" for change in changes]).repeat([change[2].size for change in changes])
    new = begins & (places < 0)
    if new.any():
        named = begins & np.isin(who, who[new])
        _begin(relations, who[named], merchant[named])
        places = relations.find(who, merchant)
    stop = 0
    for op, column, session, _, value in changes:
        start, stop = stop, stop + session.size
        place = places[start:stop]
        there = place >= 0
        if not there.all():
            place, value = place[there], value[there]
        target = relations.columns[column].reshape(-1)
        if op == "set":
            target[place] = value
        elif op == "add":
            np.add.at(target, place, value.astype(target.dtype))
        elif op == "or":
            np.bitwise_or.at(target, place, value.astype(target.dtype))
        elif op == "clear":
            np.bitwise_and.at(target, place, ~value.astype(target.dtype))
        else:
            raise ContractError(f"relate: unknown operation {op!r}; one of set, add, or, clear")


def _begin(relations: Relations, user: Array, merchant: Array) -> None:
    """Give every new pair (user, merchant) a slot; who has none to spare does not remember the merchant.

    Pairs that are there already are changed in this batch: none of them is forgotten for a new one.
    """
    pairs = user.astype(np.int64) << 32 | merchant.astype(np.int64)
    pairs.sort()
    pairs = pairs[segments.first(pairs)]
    user, merchant = pairs >> 32, pairs & 0xFFFFFFFF
    first = segments.first(user)
    who, at = user[first], first.cumsum() - 1
    relations.give(who)
    row = relations.row[who].astype(np.int64)

    def own(name: str) -> Array:
        out: Array = relations.columns[name].take(row, axis=0)
        return out

    slot, fresh = slots.claim(own("merchant"), lasting(own), own("last_order").astype(np.int64), at, merchant)
    given = fresh & (slot >= 0)
    relations.open(row[at[given]] * SLOTS + slot[given], merchant[given])


def assemble(effects: Iterable[Effects], products: Mapping[str, Array]) -> Exposures:
    """All proposals as one table, ordered by (session, product, channel); of equals the most salient is kept."""
    proposals = [proposal for one in effects for proposal in one.exposures]
    sizes = [proposal["session"].size for proposal in proposals]

    def column(name: str, dtype: type) -> Array:
        parts = [spread(proposal[name], size) for proposal, size in zip(proposals, sizes, strict=True)]
        return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(0, dtype)

    session, product = column("session", np.int64), column("product", np.int32)
    channel, salience = column("channel", np.int16), column("salience", np.float64)
    cause = column("cause", np.uint64)
    key = (session * products["price"].size + product) * 256 + channel
    order = np.argsort(key, kind="stable")
    order = order[segments.argmax(key[order], salience[order], cause[order])]
    product = product[order]
    return Exposures(
        session=session[order],
        product=product,
        merchant=products["merchant"][product],
        channel=channel[order],
        cause=cause[order],
        peer=column("peer", np.int32)[order],
        appeal=column("appeal", np.float64)[order],
        salience=salience[order],
        quantity=np.ones(order.size, np.int32),
        off=np.zeros((order.size, len(LAYERS)), np.int64),
        amount=products["price"][product],
    )


def select(exposures: Exposures, mask: Array) -> Exposures:
    """The exposures where the mask is true."""
    return Exposures(*(getattr(exposures, name)[mask] for name in Exposures.__slots__))


def appraise(exposures: Exposures, effects: Iterable[Effects], stacking: Array) -> None:
    """Add up appeal, in canonical order, and grant offers; `stacking` says which layers a merchant lets add up.

    Within a layer the largest offer counts. Of the sum of the layers that add up, and each of the others alone, the
    one that takes off most counts (of equals the sum, then the first layer); the order never costs less than 0, and
    what is too much is cut from the last layer first.
    """
    exposures.appeal = exposures.appeal.copy()
    for one in effects:
        for delta in one.appeals:
            exposures.appeal += delta
        for rows, quantity in one.bundles:
            np.maximum.at(exposures.quantity, rows, quantity)
    if not any(one.discounts or one.bundles or one.reductions or one.top_ups for one in effects):
        return
    asked, rule = np.zeros_like(exposures.off), stacking[exposures.merchant]
    for one in effects:
        for rows, off, layer in one.discounts:
            np.maximum.at(asked[:, LAYERS.index(layer)], rows, off)
    together = (rule & _PRICE_AND_REDUCTION) == _PRICE_AND_REDUCTION
    piece = np.maximum(exposures.amount - np.where(together, asked[:, 0], 0), 0)
    _top_up(exposures, piece, [wish for one in effects for wish in one.top_ups])
    for one in effects:
        for rows, above, off in one.reductions:
            reached = piece[rows] * exposures.quantity[rows] >= above
            np.maximum.at(asked[:, _REDUCTION], rows[reached], off[reached])
    asked[:, 0] *= exposures.quantity
    exposures.amount = exposures.amount * exposures.quantity
    exposures.off = _granted(asked, rule, exposures.amount)
    exposures.amount -= exposures.off.sum(axis=1)


def _top_up(exposures: Exposures, piece: I64, wishes: Iterable[tuple[I64, Array, Array]]) -> None:
    """Let orders grow until they reach a sum that they nearly reach; `piece` is the price of a piece, shape (E,)."""
    ordered = exposures.quantity.copy()
    for rows, above, gap in wishes:
        short = above - piece[rows] * ordered[rows]
        near = ((short > 0) & (short <= gap) & (piece[rows] > 0)).nonzero()[0]
        rows = rows[near]
        np.maximum.at(exposures.quantity, rows, -(-above[near] // piece[rows]))


def _granted(asked: I64, stacking: Array, amount: I64) -> I64:
    """What each layer takes off orders of these amounts, shape (E, LAYERS)."""
    together = (stacking[:, None] >> np.arange(len(LAYERS)) & 1) != 0
    ways = np.stack([np.where(together, asked, 0), *(np.eye(len(LAYERS), dtype=np.int64)[:, None, :] * asked)], axis=1)
    best = ways[np.arange(len(asked)), ways.sum(axis=2).argmax(axis=1)]
    before = best.cumsum(axis=1) - best
    out: I64 = np.clip(amount[:, None] - before, 0, best)
    return out


def not_before(rows: Records, time: int) -> Records:
    """The same rows, none of them earlier than `time`."""
    return rows.with_(time=np.maximum(rows.time, time)) if rows.n and int(rows.time.min()) < time else rows
