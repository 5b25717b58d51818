"""Small hand-made worlds and views, so that a mechanism can be tested with no engine.

``make_view(users=100, merchants=2, loyalty=0.8, flags=FOLLOWS)`` gives a view in which every user has a session.
Any keyword that names a trait, a column of state or a column of the product table overrides it (broadcast).
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np

from sim import catalog, draws
from sim.contract import LAYERS, Clock, Column, Effects, Exposures, Inbox, Mechanism, Outcome, Sessions, View
from sim.ledger.schema import Records
from sim.units import DAY, HOUR, I64, Array
from sim.world.graph import SocialGraph
from sim.world.merchants import PLACES
from sim.world.relations import Relations
from sim.world.state import CORE, SLOTS, allocate
from sim.world.world import World

CATEGORIES = ("food", "clothes", "appliances")
CHANNELS = {name: code for code, name in enumerate(catalog.channels())}
RULES = {
    "gifts": True,
    "gift_deadline_hours": 24,
    "gift_price_cap_yuan": 10000,
    "gift_excluded_categories": ["jewellery", "education"],
    "gift_swap": "same_product_other_style_same_price",
    "gift_rollout_start": "2024-12-18",
    "broadcasts_per_month_cap": 4,
    "gift_places": 6,
    "store_places": 4,
    "folding": True,
    "folding_multiplier": 0.25,
    "group_cap": 500,
    "messages_per_customer_per_day": 1,
    "reminders_per_customer_per_day": 3,
    "levels_allowed": 2,
    "platform_fee": 0.05,
    "payment_fee": 0.006,
    "return_window_days": 7,
}


def ring(users: int, degree: int = 8) -> SocialGraph:
    """Everybody knows the `degree` people nearest on a ring, the nearest first; four layers, the closest is 0."""
    step = np.repeat(np.arange(1, degree // 2 + 1), 2) * np.tile([1, -1], degree // 2)
    indices = (np.arange(users)[:, None] + step) % users
    layer = np.broadcast_to(np.minimum(np.arange(degree) // 2, 3), indices.shape)
    return csr(np.full(users, degree), indices.ravel(), layer.ravel())


def csr(degree: Array, indices: Array, layer: Array | None = None) -> SocialGraph:
    """A graph from the degree of each row and all its neighbours in one array."""
    layer = np.zeros(indices.size, np.int8) if layer is None else layer
    return SocialGraph(
        indptr=np.concatenate([[0], np.cumsum(degree)]).astype(np.int64),
        indices=indices.astype(np.int32),
        layer=layer.astype(np.int8),
    )


def make_world(
    users: int = 200,
    merchants: int = 2,
    *,
    products: int = 3,
    variants: int = 2,
    seeds: tuple[int, ...] = (7,),
    graph: SocialGraph | None = None,
    group_size: int = 10,
) -> World:
    """`products` per merchant and `variants` per product; merchant i sells category i; chat groups of neighbours."""
    n, m, p = users * len(seeds), merchants * len(seeds), merchants * products * len(seeds)
    owner = np.repeat(np.arange(m), products).astype(np.int32)
    local = np.arange(p) % (merchants * products)
    price = 12_000 + 4_000 * (local % products)
    group = np.arange(n) // group_size
    people = {
        "age": np.full(n, 30, np.int32),
        "tier": (np.arange(n, dtype=np.int32) % users) % 3 + 1,
        "income": np.ones(n),
        "taste": np.full((n, len(CATEGORIES)), 1.0 / len(CATEGORIES)),
        "price_sensitivity": np.ones(n),
        "activity": np.ones(n),
        "sociality": np.ones(n),
        "generosity": np.ones(n),
        "birthday": (np.arange(n, dtype=np.int32) % users) % 365,
        "attention": np.full(n, 6.0),
        "tolerance": np.full(n, 4.0),
    }
    return World(
        seeds=seeds,
        users=users,
        merchants=merchants,
        products=merchants * products,
        variants=merchants * products * variants,
        categories=CATEGORIES,
        user_key=np.concatenate([draws.keys(seed, "user", users) for seed in seeds]),
        merchant_key=np.concatenate([draws.keys(seed, "merchant", merchants) for seed in seeds]),
        people=people,
        graph=graph or ring(n),
        groups=csr(np.ones(n, np.int64), group),
        members=csr(np.bincount(group), np.arange(n)),
        merchant={"category": (np.arange(m) % merchants % len(CATEGORIES)).astype(np.int32)},
        product={
            "merchant": owner,
            "number": owner % merchants * PLACES + np.arange(p) % products,
            "category": (owner % merchants % len(CATEGORIES)).astype(np.int32),
            "price": price.astype(np.int64),
            "cost": (price // 2).astype(np.int64),
            "quality": np.full(p, 0.8),
            "cycle_days": np.full(p, 30.0),
            "giftable": np.ones(p, np.bool_),
            "weight": np.ones(p),
            "sharing": np.ones(p),
        },
        variant_start=np.arange(p + 1, dtype=np.int64) * variants,
        variant_product=np.repeat(np.arange(p), variants).astype(np.int32),
        merchant_names=[f"merchant_{i}" for i in range(merchants)],
        product_names=[f"product_{i}" for i in range(merchants * products)],
        merchant_keys=[f"merchant_{i}" for i in range(merchants)],
    )


def make_calendar(days: int = 400) -> Any:
    """A flat year that starts on a Monday, 1 January: no festival, no sale, all hours alike."""
    return SimpleNamespace(
        days=days,
        gift_pull=np.zeros(days),
        gift_festival=np.full(days, -1, np.int8),
        sale_pull=np.zeros(days),
        hour_profile=np.full(24, 1, np.int64),
        day_factor=np.ones(days),
        day_of_year=np.arange(days, dtype=np.int32) % 365,
        weekday=np.arange(days, dtype=np.int32) % 7,
    )


def make_view(
    users: int = 200,
    merchants: int = 2,
    *,
    products: int = 3,
    variants: int = 2,
    seeds: tuple[int, ...] = (7,),
    graph: SocialGraph | None = None,
    planned: bool | Array = True,
    running: bool = True,
    day: int = 0,
    hour: int = 12,
    known: int | None = None,
    columns: Iterable[Column] = (),
    calendar: Any = None,
    **overrides: Any,
) -> View:
    """A view in which every user has a session in that hour. `known`: how many merchants everybody remembers.

    If a slot column is overridden, everybody remembers all merchants (as many as there are slots), merchant j in
    slot j; otherwise nobody remembers any.
    """
    world = make_world(users, merchants, products=products, variants=variants, seeds=seeds, graph=graph)
    every = (*CORE, *columns)
    slot_columns = {c.name for c in every if c.table == "slot"}
    if known is None:
        known = merchants if slot_columns & set(overrides) else 0
    known = min(known, merchants, SLOTS)
    state = allocate(world, every, {})
    state["variant"]["stock"][:] = 1_000_000
    relations = Relations(world.n, every)
    relations.give(np.arange(world.n))
    view = View(world, calendar or make_calendar(), state, relations, dict(CHANNELS))
    own = world.world_of(np.arange(world.n))[:, None] * merchants + np.arange(known)
    slots_of(view)["merchant"][:, :known] = own
    view.rules = dict(RULES)
    for name, value in overrides.items():
        override(view, name, value)
    seat(view, planned=planned, running=running, day=day, hour=hour)
    return view


def slots_of(view: View) -> dict[str, Array]:
    """The `slot` columns of everybody, shape (users, SLOTS); what is written to them is written to the view's state."""
    return {name: column[1:] for name, column in view._kept.columns.items()}


def override(view: View, name: str, value: Any) -> None:
    """Set a column of state, a trait or a product column everywhere (slot columns only where there is a relation)."""
    world, state, slot = view.world, view.state, slots_of(view)
    if name in slot:
        known, column = slot["merchant"] >= 0, slot[name]
        column[known] = np.broadcast_to(np.asarray(value, column.dtype), column.shape)[known]
        return
    tables: list[Any] = [state["user"], world.people, world.product, state["merchant"], state["product"],
                         state["variant"], world.merchant]  # fmt: skip
    for table in tables:
        if name in table:
            table[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(value, table[name].dtype), table[name].shape))
            return
    raise KeyError(name)


def seat(
    view: View,
    *,
    user: Array | None = None,
    planned: bool | Array = True,
    running: bool = True,
    day: int = 0,
    hour: int = 12,
) -> View:
    """Begin a tick: these users (all by default) have a session in that hour; the last tick is forgotten."""
    view.reset_tick()
    user = np.arange(view.world.n) if user is None else np.asarray(user)
    tick = day * 24 + hour
    event = draws.child(draws.child(view.world.user_key[user], "day", day), "session", hour)
    start = tick * HOUR
    view.sessions = Sessions(
        user.astype(np.int32),
        start + draws.below("tests.views/second", event, HOUR) if user.size else user.astype(np.int64),
        event,
        np.broadcast_to(np.asarray(planned, np.bool_), user.shape).copy(),
    )
    assert start // DAY == day
    view.clock = Clock(tick, start, start + HOUR, day, hour, running)
    return view


def show(
    view: View, session: Array, product: Array, channel: Any = 0, *, drawn: bool = True, **columns: Any
) -> Exposures:
    """Put exposures in the view (sorted as the engine sorts them); all of them viewed unless `drawn` is False."""
    session, product, channel = (np.broadcast_to(np.asarray(x), np.shape(session)) for x in (session, product, channel))
    order = np.lexsort((channel, product, session))
    n = order.size

    def column(name: str, default: Any, dtype: Any) -> Array:
        return np.broadcast_to(np.asarray(columns.get(name, default), dtype), (n,))[order].copy()

    s, p = session[order].astype(np.int64), product[order].astype(np.int32)
    listed = view.world.product["price"][p]
    price = column("price", listed[np.argsort(order)], np.int64)  # of a piece, after offers
    view.exposures = Exposures(
        session=s,
        product=p,
        merchant=view.world.product["merchant"][p],
        channel=channel[order].astype(np.int16),
        cause=column("cause", view.sessions.event[session] if n else 0, np.uint64),
        peer=column("peer", -1, np.int32),
        appeal=column("appeal", 0.0, np.float64),
        salience=column("salience", 0.0, np.float64),
        quantity=column("quantity", 1, np.int32),
        off=np.zeros((n, len(LAYERS)), np.int64),
        amount=np.zeros(n, np.int64),
    )
    view.exposures.off[:, 0] = view.exposures.quantity * (listed - price)
    view.exposures.amount[:] = view.exposures.quantity * price
    view.viewed = np.full(n, drawn)
    return view.exposures


def mechanism(cls: type[Mechanism], view: View, *, on: Any = True, **params: Any) -> Any:
    """The mechanism with these parameters (for a merchant's mechanism: the same for every merchant that is on)."""
    on = np.broadcast_to(np.asarray(on, np.bool_), (view.world.m,)).copy()
    folder = cls.__module__.split(".")[1]
    one: Any = cls.Params(**params)
    if folder in ("people", "platform"):
        made = cls(one, on, view.world)
    else:
        made = cls(tuple(one if there else None for there in on.tolist()), on, view.world)
    made.folder, made.name = folder, cls.__module__.split(".")[2]
    for (table, name), values in made.initial().items():
        view.state[table][name][:] = values
    return made


def post_inbox(view: View, kind: str, rows: Records) -> Inbox:
    """Let this tick's sessions find messages: rows to users who have a session."""
    at = np.searchsorted(view.sessions.user, rows.user)
    order = np.argsort(at, kind="stable")
    view.inboxes[kind] = Inbox(rows.take(order), at[order].astype(np.int64))
    return view.inboxes[kind]


def post_outcome(view: View, kind: str, rows: Records, granted: Any = True) -> Outcome:
    """Let requests of this tick's sessions have ended so."""
    session: I64 = np.searchsorted(view.sessions.user, rows.user).astype(np.int64)
    view.outcomes[kind] = Outcome(rows, np.broadcast_to(np.asarray(granted, np.bool_), (rows.n,)), session)
    return view.outcomes[kind]


def apply(view: View, effects: Effects) -> None:
    """Apply the changes of users' own rows and the tallies to the state, plainly, one row at a time."""
    state = view.state
    for op, column, session, value in effects.changes:
        target = state["user"][column]
        for s, v in zip(view.sessions.user[session].tolist(), value.tolist(), strict=True):
            target[s] = target[s] + v if op == "add" else v
    for op, column, session, merchant, value in effects.relations:
        _relate(slots_of(view), op, column, view.sessions.user[session], merchant, value)
    view.forget_relations()
    for table, column, index, amount in effects.tallies:
        np.add.at(state[table][column], index, amount)
    for table, column, values in effects.sets:
        state[table][column][:] = values
    for name, values in effects.scratch:
        view.scratch[name] = values


def _relate(slot: dict[str, Array], op: str, column: str, user: Array, merchant: Array, value: Array) -> None:
    target = slot[column]
    for u, m, v in zip(user.tolist(), merchant.tolist(), value.tolist(), strict=True):
        at = np.flatnonzero(slot["merchant"][u] == m)
        if at.size == 0:
            at = np.flatnonzero(slot["merchant"][u] < 0)
            if op == "clear" or at.size == 0:
                continue
            slot["merchant"][u, at[0]] = m
        where = (u, int(at[0]))
        if op == "set":
            target[where] = v
        elif op == "add":
            target[where] += v
        elif op == "or":
            target[where] |= int(v)
        else:
            target[where] &= ~np.uint16(int(v))
