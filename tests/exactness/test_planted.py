"""Tests of the tests: a bug of each kind, planted in the real code, is caught, and what is printed names it.

What depends on the batch is a matter for `verify`: it must name the mechanism, or the part of the engine, and the act
in which the engines part. What is wrong in both engines alike is a matter for the audit: it must name the law and the
event. What never gets as far as a ledger must stop the run with an error that names the place.
"""

import re
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim import draws
from sim.channels.promoters import Promoters
from sim.channels.store import Store
from sim.config.load import load
from sim.config.model import Scenario
from sim.contract import Effects, Exposures, View
from sim.engine.events import EventEngine
from sim.errors import ConservationError
from sim.kernels import queue
from sim.kernels.inbox import Mailbox
from sim.kernels.timers import Timers
from sim.ledger import schema
from sim.ledger.audit import AuditReport, audit
from sim.ledger.schema import Postings, Records
from sim.operations import finance
from sim.operations.after_sale import AfterSale
from sim.operations.finance import Finance
from sim.people.browse import Browse
from sim.people.buy import Buy
from sim.people.search_intent import SearchIntent
from sim.run import run
from sim.study.shrink import resized
from sim.study.verify import Difference, Failure, once, verify
from sim.study.watch import Watch
from sim.study.witness import Parting, parting
from sim.units import F64, I64, U64, Array, Bools

pytestmark = pytest.mark.slow

TOWN = """
title: A town with one shop
horizon: {start: 2025-02-03, days: 3, tick: 6h}
seed: 1
world: {people: {count: 120}, graph: {kind: community, mean_degree: 8}}
platform: {rules: {}}
people: {browse: {opens: 1.0}, search_intent: {share: 0.5}, buy: {nothing: -2}, gift: {everyday: 0.1}}
merchants:
  tea_house:
    products:
      longjing: {category: tea, price: 168, cost: 62, quality: 0.8, variants: [tin, box]}
      puer: {category: tea, price: 98, cost: 40, quality: 0.8, variants: [raw, ripe]}
    channels: {store: {discovery: 1.0}}
    offers: {gift_packet: {acceptance_within_24h: 0.3}}
    operations:
      inventory: {opening: 6, reorder_quantity: 0, cover_days: 0}
      after_sale: {rating_rate: 1, return_rate: 0.3, return_slope: 0}
      finance: {wages_yuan_per_day: 100}
"""


@pytest.fixture
def town(tmp_path: Path) -> Scenario:
    """A shop with so few goods that people are in each other's way."""
    path = tmp_path / "town.yaml"
    path.write_text(TOWN, encoding="utf-8")
    return load(path)


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, Callable[..., Any]], None]:
    """Replace a function or method by `bug(honest, *args)`."""

    def plant(where: Any, name: str, bug: Callable[..., Any]) -> None:
        honest = getattr(where, name)
        monkeypatch.setattr(where, name, lambda *args, **named: bug(honest, *args, **named))

    return plant


Plant = Callable[[Any, str, Callable[..., Any]], None]


def apart(town: Scenario) -> Parting:
    """Where the engines part, in the case as it is."""
    assert not once(town, town.seed).equal
    found = parting(town, town.seed, town.horizon.days + 1)
    assert found is not None
    return found


def events(town: Scenario) -> list[dict[str, Any]]:
    """What happens in the town."""
    (ledger,) = run(town)
    rows: list[dict[str, Any]] = ledger.query("select * from events order by time, event").to_pylist()
    ledger.close()
    return rows


def audited(town: Scenario) -> AuditReport:
    """The audit of a run."""
    (ledger,) = run(town)
    report = audit(ledger)
    ledger.close()
    return report


def test_nothing_is_caught_where_nothing_is_planted(town: Scenario) -> None:
    verdict = verify(town)
    assert verdict.equal and verdict.parting is None
    assert "the same ledger" in str(verdict)
    assert audited(town).ok
    assert {row["kind"] for row in events(town)} >= {
        "order",
        "order_refused",
        "gift_sent",
        "gift_expired",
        "delivered",
        "returned",
    }


# ------------------------------------------------------------------------------------- a stale read inside a tick


def test_a_mechanism_that_remembers_earlier_sessions_of_the_tick(town: Scenario, plant: Plant) -> None:
    served: dict[int, int] = {}

    def every_other(honest: Callable[..., Effects], self: Store, view: View) -> Effects:
        before = served.get(view.clock.tick, 0)
        served[view.clock.tick] = before + len(view.sessions)
        return honest(self, view) if before % 2 == 0 else Effects()

    plant(Store, "expose", every_other)
    verdict = verify(town)
    assert verdict.parting is not None
    assert (verdict.parting.mechanism, verdict.parting.hook) == ("channels.store", "expose")
    assert "channels.store answers `expose` otherwise" in str(verdict)
    assert "channels.store" in str(verdict).splitlines()[0]  # it could not be switched off


def test_a_desk_that_looks_at_the_stock_as_the_tick_began(town: Scenario, plant: Plant) -> None:
    def stale(honest: object, item: Array, quantity: Array, available: I64) -> Bools:
        return np.asarray(quantity <= available[item])

    plant(queue, "first_come", stale)
    found = apart(town)
    assert (found.mechanism, found.hook) == ("", "settle")
    assert "the engines' desks settle otherwise" in str(found)
    assert re.fullmatch(r"(order|gift_order) time=.*: (granted|refused)", found.array[0])
    assert "stopped=ConservationError" in str(once(town, town.seed).difference)  # pieces are sold that are not there


def test_an_engine_that_shows_stock_as_it_is_and_not_as_the_tick_began(town: Scenario, plant: Plant) -> None:
    def live(honest: Callable[..., Any], self: EventEngine, *request: Any) -> Any:
        answer = honest(self, *request)
        self._shown["variant"]["stock"][:] = self.state["variant"]["stock"]
        return answer

    plant(EventEngine, "_ask", live)
    found = apart(town)
    assert (found.mechanism, found.hook) == ("", "arrive")
    assert "shared variant.stock" in found.events[0]


@pytest.mark.parametrize("seed", [5, 6, 14, 16])
def test_a_piece_put_back_is_seen_in_the_next_tick(town: Scenario, seed: int) -> None:
    """A bug that nobody planted, found by the witness: the array engine showed an empty shelf for a tick longer."""
    verdict = verify(town, seed)
    assert verdict.equal, str(verdict)


# ------------------------------------------------------------------------ a draw that depends on the order of the batch


def test_a_draw_by_position_instead_of_by_product(town: Scenario, plant: Plant) -> None:
    def by_position(honest: Callable[..., F64], self: Buy, view: View, e: Exposures, at: I64) -> F64:
        event = view.sessions.event[e.session[at]]
        return honest(self, view, e, at) + draws.gumbel("people.buy/fleeting", event, np.arange(at.size))

    plant(Buy, "utility", by_position)
    found = apart(town)
    assert (found.mechanism, found.hook) == ("people.buy", "choose")


def test_a_draw_taken_from_the_neighbour_in_the_batch(town: Scenario, plant: Plant) -> None:
    def neighbour(honest: Callable[..., Effects], self: SearchIntent, view: View) -> Effects:
        fx = honest(self, view)
        fx.scratch = [(name, np.roll(values, 1)) for name, values in fx.scratch]
        return fx

    plant(SearchIntent, "arrive", neighbour)
    plant(Store, "expose", lambda honest, self, view: _searchers_only(honest(self, view), view))
    verdict = verify(town)
    assert verdict.parting is not None
    assert (verdict.parting.mechanism, verdict.parting.hook) == ("people.search_intent", "arrive")
    assert "people.search_intent answers `arrive` otherwise" in str(verdict)
    assert "notes search" in str(verdict)
    assert "people.search_intent" in str(verdict).splitlines()[0]


def _searchers_only(fx: Effects, view: View) -> Effects:
    """The shop's goods for those who search (and, where nobody does, for all)."""
    search = view.scratch.get("search")
    if search is not None:
        for shown in fx.exposures:
            keep = search[shown["session"]] >= 0
            shown |= {name: shown[name][keep] for name in ("session", "product", "cause")}
    return fx


# ------------------------------------------------------------------------------------------------ a double refund


def test_a_refund_that_is_posted_twice(town: Scenario, plant: Plant) -> None:
    def twice(honest: Callable[..., None], self: Finance, fx: Effects, rows: Records) -> None:
        honest(self, fx, rows)
        honest(self, fx, rows)

    refunds = [row for row in events(town) if row["kind"] in ("gift_expired", "returned")]
    plant(Finance, "_refund", twice)
    with pytest.raises(ConservationError, match="leaves account escrow of owner 0 with fen below zero"):
        run(town)  # some time later, when somebody else is to be paid
    first = min(refunds, key=lambda row: (row["time"], row["event"]))
    wrong = f"event {first['event']:016x}, .*: the escrow of {first['cause']:016x} ends at -{first['amount']} fen"
    assert re.search(f"the escrow of a deal ends at zero: {wrong}", str(once(town, town.seed, audited=1).difference))
    verdict = verify(town)
    assert isinstance(verdict.difference, Failure)  # of both engines alike
    said = str(verdict)
    assert "both engines break the same law on day" in said
    assert "the escrow of a deal ends at zero: event " in said
    refund = r"    (\d+ fen from escrow of 0 to wallet of \d+, by operations.finance in `settle` of \w+)\n"
    assert re.search(refund + r"    \1\n", said)
    assert re.search(r"broken by time=.* kind=(gift_expired|returned) (.*\n)+  because of .* kind=visit", said)


def test_a_parcel_that_is_sent_back_and_completed(town: Scenario, plant: Plant) -> None:
    def both(honest: Callable[..., None], self: AfterSale, view: View, fx: Effects, *more: Any) -> None:
        honest(self, view, fx, *more)
        for kind, sent in [*fx.requests]:
            if kind == "return":
                fx.request("completion", sent.with_(event=draws.child(sent.cause, "completion"), detail=0))

    returned = {row["cause"] for row in events(town) if row["kind"] == "returned"}
    plant(AfterSale, "_end", both)
    with pytest.raises(ConservationError, match="every deal ends once: event [0-9a-f]{16}") as caught:
        run(town, watch=Watch)
    assert any(f"{deal:016x}" in str(caught.value) for deal in returned)
    assert "it ends 2 times" in str(caught.value)


# ------------------------------------------------------------------------------------------------ an unstable sort


def test_requests_of_one_second_are_taken_as_they_stand(town: Scenario, plant: Plant) -> None:
    def coarse(honest: Callable[..., Records], self: Browse, view: View, day: int) -> Records:
        rows = honest(self, view, day)
        return rows.with_(time=rows.time // 21_600 * 21_600)

    def by_time(honest: object, time: Array, event: U64) -> I64:
        return np.argsort(time)  # and not by (time, event id)

    plant(Browse, "plan", coarse)
    assert once(town, town.seed).equal
    plant(schema, "settling", by_time)
    verdict = verify(town)
    assert verdict.parting is not None
    assert (verdict.parting.mechanism, verdict.parting.hook) == ("", "settle")
    assert verdict.parting.one_second
    assert "of one second the smaller event id comes first" in str(verdict)


# ---------------------------------------------------------------------------------------------------- more kinds


def test_a_message_that_is_lost(town: Scenario, plant: Plant) -> None:
    def all_but_one(honest: Callable[..., None], self: Mailbox[Records], kind: str, rows: Records) -> None:
        honest(self, kind, rows.take(np.arange(rows.n) > 0) if rows.n > 1 else rows)

    plant(Mailbox, "post", all_but_one)
    found = apart(resized(town, days=8))  # parcels have arrived
    assert (found.mechanism, found.hook) == ("", "deliver")
    assert "the engines' mail brings other messages" in str(found)
    assert not found.array
    assert "user finds" in found.events[0]


def test_what_is_due_at_midnight_is_settled_on_the_day_before(town: Scenario, plant: Plant) -> None:
    def early(honest: Callable[..., None], self: Timers[Records], tick: int, kind: str, rows: Records) -> None:
        on_the_edge = bool(tick) and bool((rows.time % self._tick_seconds == 0).all())
        honest(self, tick - on_the_edge, kind, rows)

    plant(Timers, "_put", early)
    found = apart(town)
    assert (found.tick, found.mechanism, found.hook) == (3, "", "settle")
    assert found.array and found.array[0].startswith("wages") and "time=86400" in found.array[0]


def test_money_in_floating_point(town: Scenario, plant: Plant) -> None:
    def in_yuan(honest: object, amount: Array, platform_fee: float, payment_fee: float) -> tuple[Array, ...]:
        platform, payment = amount * platform_fee * 1.001, amount * payment_fee * 1.001
        return platform, payment, amount - platform - payment

    completed = {row["event"] for row in events(town) if row["kind"] == "completed"}
    plant(finance, "split", in_yuan)
    found = {broken.check: broken for broken in audited(town).breaks}["the escrow of a deal ends at zero"]
    assert found.event in completed
    assert f"the escrow of a deal ends at zero: event {found.event:016x}" in str(found)


@pytest.mark.parametrize("lost", ["events", "posts"])
def test_commission_that_never_comes_back(lost: str, tmp_path: Path, plant: Plant) -> None:
    """Of orders that do not last, the merchant is told but not paid back, or paid back but not told."""
    promoters = "promoters: {commission: 0.3, join: 1, blogger_reach: 0, effort: 1}"
    (tmp_path / "town.yaml").write_text(TOWN.replace("channels: {store", f"channels: {{{promoters}, store"), "utf-8")
    town = load(tmp_path / "town.yaml")

    def forgetful(honest: Callable[..., Effects], self: Promoters, view: View, kind: str, *of: Any) -> Effects:
        fx = honest(self, view, kind, *of)
        if kind == "commission_void":
            setattr(fx, lost, ())
        return fx

    assert verify(town).equal and audited(town).ok
    voided = [row for row in events(town) if row["kind"] == "commission_voided"]
    assert sum(row["amount"] for row in voided) > 0
    plant(Promoters, "settle", forgetful)
    found = {broken.check: broken for broken in audited(town).breaks}
    assert "commission held is paid, void or open" in found
    if lost == "events":
        assert found["every commission ends once"].count == len(voided)
    else:
        held = sum(row["amount"] for row in voided)
        assert f"{held} fen are held, but 0 are due" in found["commission held is paid, void or open"].wrong


def test_a_posting_that_moves_nothing_or_backwards(town: Scenario, plant: Plant) -> None:
    def backwards(honest: Callable[..., Postings], rows: Records, *legs: Any) -> Postings:
        moves = honest(rows, *legs)
        return Postings(moves.n, **(moves.columns() | {"amount": -moves.amount}))

    plant(Postings, "move", backwards)
    with pytest.raises(ConservationError, match=r"event [0-9a-f]{16} moves -\d+ \w+; a posting moves a positive"):
        run(town)


def test_a_mechanism_that_writes_into_what_it_is_shown(town: Scenario, plant: Plant) -> None:
    def meddling(honest: Callable[..., Effects], self: Store, view: View) -> Effects:
        view.shared("product", "sold")[:] += 1
        return honest(self, view)

    plant(Store, "expose", meddling)
    with pytest.raises(ValueError, match="read-only") as caught:
        run(town)
    assert traceback.extract_tb(caught.tb)[-1].name == "meddling"


def test_an_engine_that_breaks_off_alone_is_a_difference(town: Scenario, plant: Plant) -> None:
    def refuses(honest: Callable[..., None], self: EventEngine, changes: Iterable[Effects], own: bool = False) -> None:
        if self.view.clock.day == 1:
            raise ConservationError("a law is broken here")
        honest(self, changes, own)

    plant(EventEngine, "_take", refuses)
    verdict = once(town, town.seed)
    assert isinstance(verdict.difference, Difference)
    assert verdict.difference.day == 1
    assert str(verdict.difference).splitlines()[1:] == [
        "  array  day=1 went=on",
        "  events day=1 stopped=ConservationError: a law is broken here",
    ]
