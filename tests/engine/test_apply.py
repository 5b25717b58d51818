"""Applying effects: relations begin when there is a slot to spare, proposals become one ordered table."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.contract import Effects
from sim.engine import apply
from sim.world.relations import Relations
from sim.world.state import CORE, DROPPED, FOLLOWS, MINI, SLOTS

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


def test_offers_add_up_and_never_pay_the_buyer() -> None:
    products = {"price": np.array([100]), "merchant": np.array([0], np.int32)}
    proposal, offer = Effects(), Effects()
    proposal.expose(0, np.array([0]), np.array([0]), cause=np.uint64(1), appeal=0.5)
    table = apply.assemble([proposal], products)
    offer.discount(np.array([0]), np.array([30]))
    offer.appeal(np.array([0.25]))
    apply.appraise(table, [offer])
    assert table.price.tolist() == [70] and table.appeal.tolist() == [0.75] and not table.coupon[0]
    offer.discount(np.array([0]), np.array([90]), coupon=True)
    apply.appraise(table, [offer])
    assert table.price.tolist() == [0] and table.coupon[0]
