"""What must not change a ledger, on every shipped scenario at small size, and what may change only so much of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sim import catalog, fast
from sim.config.model import Compare, Scenario
from sim.config.shipped import names
from sim.ledger.audit import audit
from sim.ledger.reader import Ledger
from sim.ledger.schema import ACCOUNTS
from sim.run import run
from sim.study.compare import compare
from sim.study.comparison import Comparison
from sim.study.verify import compare_ledgers
from sim.units import DAY, I64, Bools
from sim.world.world import World
from tests.exactness.conftest import Run
from tests.exactness.small import (
    EVERYTHING,
    PEOPLE,
    PRIVATE,
    Rows,
    ample,
    first_difference,
    grown,
    merchant_changed,
    plain,
    reseated,
    shared_from,
    sized,
    small,
    still_market,
    touched,
)

pytestmark = pytest.mark.slow  # `make test` runs it

CHANNELS = sorted(key.split(".")[1] for key in catalog.mechanisms() if key.startswith("channels."))
KERNELS = ("numpy", "fast") if fast.present else ("numpy",)


def total(ledger: Ledger) -> str:
    return str(ledger.manifest["digest"]["total"])


def counts(ledger: Ledger) -> dict[str, int]:
    return dict(ledger.rows("select kind, count(*) from events group by kind"))


# ---------------------------------------------------------------------------------------------- what changes nothing


def test_so_few_people_in_so_few_days_do_all_that_matters(case: str, ledger: Ledger) -> None:
    found = counts(ledger)
    usual = ("visit", "exposure", "view", "order", "gift_sent", "gift_claimed", "gift_swapped", "share", "delivered")
    rare = ("order_refused", "coupon_redeemed", "group_joined", "follow", "moments_post", "bounced", "notice", "rating")
    for kind in (*usual, "mini_program_added", "returned", *(rare if case == EVERYTHING else ())):
        assert found.get(kind, 0) > 0, kind
    assert audit(ledger).ok


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_same_again_with_any_kernels(
    scenario: Scenario, ledger: Ledger, write: Run, monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    """To the last byte of every file; the world is built anew too."""
    monkeypatch.setattr(fast, "present", kernels == "fast")
    monkeypatch.setattr(fast, "WORTH", 0)
    building = import_module("sim.world.build")
    for kept in ("_few", "_many"):
        monkeypatch.setattr(building, kept, building._made)
    again = write(scenario)
    for file in sorted(ledger.folder.rglob("*.*")):
        assert file.read_bytes() == (again.folder / file.relative_to(ledger.folder)).read_bytes(), file.name


@pytest.mark.parametrize(("block", "threads"), [(1, 1), (7, 4), (40, 2), (10**6, 1)])
def test_sessions_that_act_together(scenario: Scenario, ledger: Ledger, write: Run, block: int, threads: int) -> None:
    assert compare_ledgers(ledger, write(scenario, block=block, threads=threads)) is None


def test_mechanisms_in_another_order_in_the_file(scenario: Scenario, ledger: Ledger, write: Run) -> None:
    def backwards(section: Mapping[str, Any]) -> dict[str, Any]:
        return dict(reversed(section.items()))

    turned = scenario.model_copy(update={part: backwards(getattr(scenario, part)) for part in ("people", "platform")})
    for key, merchant in scenario.merchants.items():
        parts = {part: backwards(getattr(merchant, part)) for part in ("channels", "offers", "operations")}
        turned = merchant_changed(turned, key, **parts)
    assert list(turned.people) != list(scenario.people)
    assert compare_ledgers(ledger, write(turned)) is None


def test_recording_less(scenario: Scenario, ledger: Ledger, write: Run) -> None:
    orders = write(scenario.model_copy(update={"record": "orders"}))
    assert ledger.events.num_rows > 2 * orders.events.num_rows
    assert total(orders) == total(ledger)
    for table in ("postings", "stock", "daily"):
        assert getattr(orders, table).equals(getattr(ledger, table)), table
    details = [kind for kind, detail in ledger.manifest["kinds"].items() if detail]
    undetailed = "select * from events where kind not in (select unnest($details)) order by tick, time, event, kind"
    assert orders.query(undetailed, details=details).equals(ledger.query(undetailed, details=details))


def test_other_names_of_merchants_products_and_styles(scenario: Scenario, ledger: Ledger, write: Run) -> None:
    renamed: dict[str, Any] = {}
    for number, merchant in enumerate(scenario.merchants.values()):
        goods = {
            f"thing_{9 - place}": product.model_copy(update={"variants": ("z", "y", "x")[: len(product.variants)]})
            for place, product in enumerate(merchant.products.values())
        }
        renamed[f"shop_{9 - number}"] = merchant.model_copy(update={"name": f"店 {number}", "products": goods})
    other = write(scenario.model_copy(update={"merchants": renamed}))
    assert other.manifest["merchants"] != ledger.manifest["merchants"]
    assert compare_ledgers(ledger, other) is None
    assert total(other) == total(ledger)


def test_worlds_beside_it_and_seed_0(scenario: Scenario, ledger: Ledger, write: Run, tmp_path: Path) -> None:
    folders = [tmp_path / f"beside-{number}" for number in range(3)]
    _, here, zeroth = run(scenario, (3, scenario.seed, 0), folders)
    alone = write(scenario.with_seed(0))
    assert zeroth.manifest["seed"] == alone.manifest["seed"] == 0
    assert compare_ledgers(ledger, here) is None
    assert compare_ledgers(alone, zeroth) is None
    assert len({total(here), total(zeroth), total(ledger)}) == 2


def test_workers(tmp_path: Path) -> None:
    """One comparison of the richest strategies of all shipped scenarios: starting workers is dear."""
    every = {name: sized(small(name), people=60, days=2, tick=DAY) for name in names()}
    asked = Compare(baseline="base", metrics=("orders", "net_gmv"))
    scenario = small("base").model_copy(update={"strategies": every, "compare": asked})
    one = files_of(compare(scenario, replications=2, workers=1, out=tmp_path / "1"))
    assert len(one) > 2 * 4 * len(every)
    for workers in (2, 4):
        assert files_of(compare(scenario, replications=2, workers=workers, out=tmp_path / str(workers))) == one


def files_of(comparison: Comparison) -> dict[Path, bytes]:
    assert not comparison.failures
    folder = comparison.folder
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.*")}


# ------------------------------------------------------------------------------------------------ what changes places


def test_people_in_other_rows(scenario: Scenario, world: World, ledger: Ledger, write: Run) -> None:
    """A person's number names her in draws and her key holds her luck; the row that she sits in means nothing.

    So if everybody sits in another row, keeps her number, key, traits, ties (strongest first, as they were) and groups,
    then the ledger is the same but for the rows that it names. Were numbers given anew with the rows, it would be
    another world: a person's luck is a hash of (seed, number).
    """
    old = np.random.default_rng(5).permutation(world.users)
    other = write(scenario, reseated(world, old))
    assert not np.array_equal(old, np.arange(world.users))
    assert not other.events.equals(ledger.events)
    assert with_users(other.events, old).equals(ledger.events)
    assert sorted_rows(with_owners(other.postings, old)) == sorted_rows(
        ledger.postings
    )  # of one event: by their hashes
    assert other.stock.equals(ledger.stock)
    assert other.daily.equals(ledger.daily)


def sorted_rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return sorted(zip(*table.to_pydict().values(), strict=True))


def with_users(table: pa.Table, old: I64) -> pa.Table:
    """The table with rows of the world turned back into the numbers of who sits there."""
    for name in ("user", "peer"):
        seat = table[name].to_numpy()
        who = np.where(seat >= 0, old[seat], seat).astype(np.int32)
        table = table.set_column(table.column_names.index(name), table.schema.field(name), pa.array(who))
    return table


def with_owners(table: pa.Table, old: I64) -> pa.Table:
    """The same for owners of accounts that are users."""
    theirs = [name for name, account in ACCOUNTS.items() if account.owner == "user"]
    for side in ("source", "target"):
        at = table.column_names.index(side + "_owner")
        seat, is_user = table[at].to_numpy(), np.isin(plain(table[side]), theirs)
        who = np.where(is_user & (seat >= 0), old[np.where(is_user, seat, 0)], seat).astype(np.int32)
        table = table.set_column(at, table.schema.field(side + "_owner"), pa.array(who))
    return table


# -------------------------------------------------------------------------------------------- what changes so much only


def test_one_more_who_never_opens_wechat(scenario: Scenario, world: World, ledger: Ledger, write: Run) -> None:
    assert compare_ledgers(ledger, write(scenario, grown(world, activity=0))) is None


@dataclass(frozen=True, slots=True)
class Market:
    """A scenario and what happens in it; a still one has enough for all, and nobody sees what others do to it."""

    live: bool
    scenario: Scenario
    before: Rows


@pytest.fixture(params=["still", "live"])
def market(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, scenario: Scenario) -> Market:
    if request.param == "live":
        return Market(True, scenario, Rows.of(request.getfixturevalue("ledger")))
    before = Rows.of(request.getfixturevalue("still_ledger"))
    still_market(monkeypatch)
    return Market(False, ample(scenario), before)


def assert_the_rest_is_equal(market: Market, after: Rows, masks: list[Bools]) -> None:
    """Rows that descend from no change are the same.

    In a live market: before the first of those that do has moved anything shared, and the private ones in that very
    tick, since what is shared is shown as it stood when the tick began.
    """
    rows, kept = (market.before, after), [~mask for mask in masks]
    if market.live:
        first = shared_from(rows, masks)
        kept = [
            mask & ((run["tick"] < first) | (run["tick"] == first) & np.isin(run["kind"], PRIVATE))
            for run, mask in zip(rows, kept, strict=True)
        ]
    one, other = (run.take(mask) for run, mask in zip(rows, kept, strict=True))
    assert first_difference(one, other) is None
    assert len(one) > (0 if market.live else 300)


def test_one_more_whom_nobody_knows(world: World, market: Market, write: Run) -> None:
    """Nobody hears from her, but she shops: she may take the last piece, or make a best-seller.

    In a still market nobody else's life changes, ever; in a live one not before she buys.
    """
    after = Rows.of(write(market.scenario, grown(world, activity=20.0, attention=30.0, price_sensitivity=0.0)))
    masks = touched([market.before, after], lambda run: run["user"] == world.users)
    assert not masks[0].any()
    assert set(after["user"][masks[1]].tolist()) == {world.users}
    assert ("order" if world.users == PEOPLE else "exposure") in after["kind"][masks[1]]
    assert_the_rest_is_equal(market, after, masks)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_less(market: Market, write: Run, channel: str) -> None:
    """Only the lives change of those whom it reached, of those whom they tell or give, and only from then on.

    In a live market that holds until one of those has moved anything shared, which may be soon: the still market
    carries the claim. The merchant is the one whose channel does most there, and least, but something, in the live
    one; in a scenario without the channel there is nothing to take away, and nothing changes.
    """
    keys = list(market.scenario.merchants)
    surfaces = [channel, *catalog.mechanisms()[f"channels.{channel}"].clicks]
    there = np.isin(market.before["channel"], surfaces)
    doing = [int(((market.before["merchant"] == m) & there).sum()) for m in range(len(keys))]
    some = [m for m in range(len(keys)) if doing[m]] or [0]
    number, after = (min if market.live else max)(some, key=lambda m: doing[m]), market.before
    if doing[number]:
        channels = dict(market.scenario.merchants[keys[number]].channels)
        del channels[channel]
        after = Rows.of(write(merchant_changed(market.scenario, keys[number], channels=channels)))
    assert bool(doing[number]) == any(channel in shop.channels for shop in market.scenario.merchants.values())
    assert (first_difference(market.before, after) is None) == (not doing[number])
    masks = touched([market.before, after], lambda run: (run["merchant"] == number) & reached(run, channel))
    assert_the_rest_is_equal(market, after, masks)


def reached(run: Rows, channel: str) -> Bools:
    """Rows of those whom a merchant's channel reaches, among all of the merchant's.

    On it, and by what it alone does. But the store also lends its score and its way to the till to whatever is met
    elsewhere; the service account asks whoever saw a page, or got a parcel, to follow it, and not somebody else; and
    pictures in Moments adorn what friends pass on.
    """
    elsewhere = {
        "store": np.full(len(run), True),
        "service_account": np.isin(run["kind"], ("view", "gift_claimed")),
        "moments": np.isin(run["channel"], ("share_chat", "share_group", "share_moments")),
    }
    own = (run["channel"] == channel) | np.isin(run["kind"], list(catalog.mechanisms()[f"channels.{channel}"].kinds))
    return own | elsewhere.get(channel, False)
