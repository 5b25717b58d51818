"""First come, first served, against a shopkeeper: every request for stock of a run, one by one, by brute force.

The ledger of a scarce market names every piece that came (restock, put_back), went (order, gift_sent, gift_swapped) or
was asked for in vain (order_refused), each at its own second. A shopkeeper who takes them in the order (time, event
id), and hands out what is asked for if there is as much, must come to the same answer each time. No statistics: every
answer must be equal. (Gifts and swaps that find an empty shelf are not written down, and move nothing.)
The kernel alone is held against such a shopkeeper in `tests/kernels/test_queue.py`, with random requests.
"""

from collections import Counter

import pytest

from sim.config.load import load
from sim.run import run

pytestmark = pytest.mark.slow  # `make test` runs it

SCARCE = """
title: A market short of everything
extends: base
horizon: {{start: 2025-01-20, days: 8, tick: 4h}}
world: {{people: {{count: 300}}}}
platform: {{rivals: {{attraction: 0}}}}
people: {{browse: {{opens: 0.9}}, buy: {{quantity: {quantity}}}, gift: {{}}}}
merchants:
  tea_house:
    channels: {{store: {{}}, mini_program: {{scan: 0.05}}}}
    offers: {{gift_packet: {{occasion_page: true}}}}
    operations: {{inventory: {inventory}, after_sale: {{return_rate: 0.5}}}}
  orchard: {{operations: {{inventory: {inventory}}}}}
  florist: {{operations: {{inventory: {inventory}}}}}
"""
IN, OUT, REFUSED = ("restock", "put_back"), ("order", "gift_sent", "gift_swapped"), "order_refused"
INVENTORY = "{opening: 3, reorder_point: 1, reorder_quantity: 3, lead_days: 1, cover_days: 0}"
NEVER = "{opening: 7, reorder_point: 0, reorder_quantity: 0}"


@pytest.fixture(scope="module", params=[(1, INVENTORY), (2, INVENTORY), (2, NEVER)], ids=["one", "two", "never more"])
def market(request, tmp_path_factory):
    quantity, inventory = request.param
    folder = tmp_path_factory.mktemp("market")
    path = folder / "market.yaml"
    path.write_text(SCARCE.format(quantity=quantity, inventory=inventory), "utf-8")
    (ledger,) = run(load(str(path)), out=[folder / "run"])
    return ledger


def requests(ledger):
    """Every request for stock that was written down: (kind, variant, pieces), in settling order."""
    kinds = ", ".join(f"'{kind}'" for kind in (*IN, *OUT, REFUSED))
    return ledger.rows(f"select kind, variant, quantity from events where kind in ({kinds}) order by time, event")


def test_each_request_is_granted_as_by_a_shopkeeper_who_serves_one_after_the_other(market):
    shelf: Counter[int] = Counter()
    answers: Counter[tuple[str, bool]] = Counter()
    for number, (kind, variant, pieces) in enumerate(requests(market)):
        granted = pieces <= shelf[variant]
        assert (pieces < 0) == (kind in IN)
        assert granted == (kind != REFUSED), f"request {number}: {kind} of {pieces}, {shelf[variant]} left"
        answers[kind, granted] += 1
        shelf[variant] -= pieces if granted else 0
    assert answers[REFUSED, False] > 20 and answers["order", True] > 50
    assert answers["put_back", True] > 5 and answers["gift_sent", True] > 5
    booked = market.rows(
        """select item, sum(case when target = 'shelf' then amount else -amount end)
           from stock where 'shelf' in (source, target) group by item"""
    )
    assert {item: left for item, left in booked if left} == {item: left for item, left in shelf.items() if left}
