"""Applying effects: relations begin when there is a slot to spare, proposals become one ordered table."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import LAYERS, Effects, Exposures
from sim.engine import apply
from sim.world.relations import Relations
from sim.world.state import CORE, DROPPED, FOLLOWS, MINI, SLOTS

ALL = np.array([15], np.uint8)  # one merchant that lets all layers of offers add up

operations = st.lists(
    st.tuples(st.sampled_from(["or", "clear", "add", "set"]), st.integers(0, 1), st.integers(0, 4), st.integers(0, 3)),
    max_size=20,
)


@given(operations)
def test_relations_follow_a_dictionary_while_slots_suffice(changes: list[tuple[str, int, int, int]]) -> None:
    known: dict[tuple[int, int], dict[str, int]] = {}
    relations = Relations(9, CORE)
    user = np.array([3, 8])
    for op, session, merchant, value in changes:
        column = "flags" if op in ("or", "clear") else "orders"
        effects = Effects()
        effects.relate(op, column, np.array([session]), np.array([merchant]), value)
        apply.change_relations(relations, user, [effects])
        if op != "clear":
            known.setdefault((int(user[session]), merchant), {"flags": 0, "orders": 0})
        if (row := known.get((int(user[session]), merchant))) is not None:
            row[column] = {
                "or": row[column] | value,
                "clear": row[column] & ~value,
                "add": row[column] + value,
                "set": value,
            }[op]
    who, whom = (np.array([pair[k] for pair in known], np.int64) for k in (0, 1))
    place = relations.find(who, whom)
    assert place.size == relations.of(np.arange(9))[1].size
    for at, row in zip(place.tolist(), known.values(), strict=True):
        assert {column: int(relations.read(column, np.array([at]))[0]) for column in row} == row


def test_a_customer_is_never_forgotten_for_a_newcomer_but_a_passer_by_is() -> None:
    relations = Relations(1, CORE)
    user = np.array([0])
    for merchant in range(SLOTS):
        effects = Effects()
        effects.relate("or", "flags", np.array([0]), np.array([merchant]), FOLLOWS if merchant else MINI)
        apply.change_relations(relations, user, [effects])
    newcomer = Effects()
    newcomer.relate("or", "flags", np.array([0]), np.array([90]), DROPPED)
    apply.change_relations(relations, user, [newcomer])
    assert relations.columns["merchant"][relations.row[0]].tolist() == [90, 1, 2, 3, 4, 5]
    assert relations.columns["flags"][relations.row[0], 0] == DROPPED
    last = Effects()
    last.relate("or", "flags", np.array([0]), np.array([90]), FOLLOWS)
    last.relate("add", "orders", np.array([0]), np.array([91]), 1)
    apply.change_relations(relations, user, [last])
    one_more = Effects()
    one_more.relate("add", "orders", np.array([0]), np.array([92]), 1)
    apply.change_relations(relations, user, [one_more])
    assert 92 not in relations.columns["merchant"][relations.row[0]]


@given(st.lists(st.integers(0, SLOTS + 2), min_size=1, max_size=SLOTS + 3, unique=True), st.booleans())
def test_what_is_changed_is_not_forgotten_for_what_is_begun_in_the_same_batch(named: list[int], apart: bool) -> None:
    """She knows as many as she can, and none that would be kept; of those named, the known ones all stay."""
    relations, user = Relations(1, CORE), np.array([0])
    full = Effects()
    full.relate("or", "flags", np.zeros(SLOTS, np.int64), np.arange(SLOTS), MINI)
    apply.change_relations(relations, user, [full])
    batch = [Effects() for _ in named] if apart else [Effects()] * len(named)
    for effects, merchant in zip(batch, named, strict=True):
        effects.relate("set", "coupon_until", np.array([0]), np.array([merchant]), 1_000 + merchant)
    apply.change_relations(relations, user, batch if apart else batch[:1])
    until = dict(zip(*(relations.columns[name][relations.row[0]].tolist() for name in ("merchant", "coupon_until")),
                     strict=True))  # fmt: skip
    known = [merchant for merchant in named if merchant < SLOTS]
    begun = sorted(set(named) - set(known))[: SLOTS - len(known)]
    assert {merchant: until.get(merchant) for merchant in known + begun} == {m: 1_000 + m for m in known + begun}
    assert len(until) == SLOTS


def test_changes_of_one_batch_add_up_on_the_same_row() -> None:
    relations = Relations(1, CORE)
    effects = Effects()
    effects.relate("add", "orders", np.array([0, 0, 0]), np.array([7, 7, 5]), np.array([1, 2, 4]))
    apply.change_relations(relations, np.array([0]), [effects])
    place = relations.find(np.array([0, 0]), np.array([7, 5]))
    assert relations.read("orders", place).tolist() == [3, 4]


def test_proposals_of_the_same_product_on_the_same_channel_are_one_exposure_the_most_salient() -> None:
    products = {"price": np.array([100, 200]), "merchant": np.array([0, 0], np.int32)}
    effects = Effects()
    effects.expose(1, np.array([1, 0, 1]), np.array([0, 1, 0]), cause=np.uint64(5), salience=np.array([1.0, 0.0, 2.0]))
    effects.expose(0, np.array([1]), np.array([0]), cause=np.uint64(6), peer=3)
    table = apply.assemble([effects], products)
    rows = list(
        zip(
            table.session.tolist(), table.product.tolist(), table.channel.tolist(), table.salience.tolist(), strict=True
        )
    )
    assert rows == [(0, 1, 1, 0.0), (1, 0, 0, 0.0), (1, 0, 1, 2.0)]
    assert table.price.tolist() == [200, 100, 100]
    assert table.peer.tolist() == [-1, 3, -1]


def test_no_proposals_make_an_empty_table() -> None:
    table = apply.assemble([Effects()], {"price": np.array([1]), "merchant": np.array([0], np.int32)})
    assert len(table) == 0


def window(price: int = 100, count: int = 1) -> Exposures:
    """Exposures of one product, each in a session of its own."""
    proposal = Effects()
    proposal.expose(0, np.arange(count), np.zeros(count, np.int64), cause=np.uint64(1), appeal=0.5)
    return apply.assemble([proposal], {"price": np.array([price]), "merchant": np.array([0], np.int32)})


def test_offers_of_different_layers_add_up_and_never_pay_the_buyer() -> None:
    table, offer = window(), Effects()
    offer.discount(np.array([0]), np.array([30]))
    offer.appeal(np.array([0.25]))
    apply.appraise(table, [offer], ALL)
    assert table.price.tolist() == [70] and table.appeal.tolist() == [0.75]
    offer.discount(np.array([0]), np.array([90]), "coupon")
    table = window()
    apply.appraise(table, [offer], ALL)
    assert table.price.tolist() == [0]
    assert table.off.tolist() == [[30, 0, 70, 0]]  # what is too much is cut from the last layer


OFFERS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(LAYERS), st.integers(0, 120)), max_size=8)


@given(OFFERS, st.integers(0, 15), st.lists(st.integers(1, 4), min_size=3, max_size=3))
def test_the_best_way_to_stack_counts(offers: list[tuple[int, str, int]], stacking: int, pieces: list[int]) -> None:
    table, some = window(price=50, count=3), Effects()
    for at, layer, off in offers:
        some.discount(np.array([at]), np.array([off]), layer)
    some.bundle(np.arange(3), np.array(pieces))
    apply.appraise(table, [some], np.array([stacking], np.uint8))
    for at, count in enumerate(pieces):
        best = {
            layer: max([off for which, name, off in offers if (which, name) == (at, layer)], default=0)
            for layer in LAYERS
        }
        best["price"] *= count
        together = sum(off for bit, off in enumerate(best.values()) if stacking >> bit & 1)
        alone = [off for bit, off in enumerate(best.values()) if not stacking >> bit & 1]
        taken = min(max([together, *alone]), 50 * count)
        assert table.off[at].sum() == taken
        assert table.amount[at] == 50 * count - taken
        assert table.quantity[at] == count
        assert (table.off[at] <= np.array(list(best.values()))).all()


def test_offers_of_one_layer_do_not_add_up() -> None:
    table, some = window(), Effects()
    some.discount(np.array([0, 0]), np.array([10, 25]))
    some.discount(np.array([0]), np.array([20]))
    apply.appraise(table, [some], ALL)
    assert table.off.tolist() == [[25, 0, 0, 0]]


LADDER = ((200, 30), (400, 80))


@given(st.integers(0, 15), st.integers(0, 60), st.integers(1, 5), st.integers(0, 250), st.integers(1, 150))
def test_orders_grow_to_a_sum_and_the_highest_step_counts(
    stacking: int, off: int, pieces: int, gap: int, price: int
) -> None:
    table, some = window(price), Effects()
    at = np.array([0])
    some.discount(at, np.array([off]))
    some.bundle(at, pieces)
    for above, less in LADDER:
        some.reduce(at, above, less)
        some.top_up(at, above, gap)
    apply.appraise(table, [some], np.array([stacking], np.uint8))
    both = stacking & 3 == 3  # a lower price and a reduction add up
    piece = max(price - off, 0) if both else price
    quantity = pieces
    for above, _ in LADDER:
        if 0 < above - piece * pieces <= gap and piece:
            quantity = max(quantity, next(q for q in range(pieces, above + 1) if q * piece >= above))
    step = max([less for above, less in LADDER if piece * quantity >= above], default=0)
    together = off * quantity * (stacking & 1) + step * (stacking >> 1 & 1)
    taken = max(together, 0 if stacking & 1 else off * quantity, 0 if stacking & 2 else step)
    assert table.quantity.tolist() == [quantity]
    assert table.amount.tolist() == [max(price * quantity - taken, 0)]


def test_nothing_that_is_free_grows() -> None:
    table, some = window(price=10), Effects()
    some.discount(np.array([0]), np.array([10]))
    some.top_up(np.array([0]), 20, 100)
    apply.appraise(table, [some], ALL)
    assert table.quantity.tolist() == [1] and table.amount.tolist() == [0]
