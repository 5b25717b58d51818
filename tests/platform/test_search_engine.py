from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import draws
from sim.offers.gift_packet import GiftPacket
from sim.operations.listing import Listing
from sim.platform.search_engine import MOST_WORDINGS, SearchEngine
from sim.world.giving import OCCASIONS
from tests.theory.town import play
from tests.views import apply, make_view, mechanism, override, seat


def engine(users: int = 10, products: int = 6, seeds: tuple[int, ...] = (7,), merchants: int = 2, **params):  # type: ignore[no-untyped-def]
    view = make_view(users=users, merchants=merchants, products=products, seeds=seeds, columns=SearchEngine.columns)
    return view, mechanism(SearchEngine, view, **params)


def ranks(view) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The rank of each product among those of its category and world, from 0."""
    world, value = view.world, view.state["product"]["search_value"]
    group = np.arange(value.size) // world.products * len(world.categories) + world.product["category"]
    better = (value[:, None] > value) | (
        (value[:, None] == value) & (np.arange(value.size)[:, None] < np.arange(value.size))
    )
    return (better & (group[:, None] == group)).sum(axis=0)


def found(view, made, category) -> dict:  # type: ignore[no-untyped-def]
    view.scratch["search"] = np.broadcast_to(category, (len(view.sessions),))
    shown = made.expose(view).exposures
    assert len(shown) == 1
    return shown[0]


def test_results_are_examined_by_position() -> None:
    """P(examine rank r) = r^-eta, independently of each other (position-based model)."""
    n = 20_000
    view, made = engine(users=n, products=6, position_bias=0.8, results=5)
    shown = found(view, made, 0)
    rank = ranks(view)[shown["product"]]
    assert rank.max() == 4  # the sixth is on the next page
    p = np.arange(1, 6) ** -0.8
    seen = np.zeros((n, 5))
    seen[shown["session"], rank] = 1
    assert (np.abs(seen.mean(axis=0) - p) <= 4 * np.sqrt(p * (1 - p) / n)).all()
    assert p[0] == seen[:, 0].mean()  # the first result is always seen
    both = (seen[:, 1] * seen[:, 2]).mean()
    assert abs(both - p[1] * p[2]) < 4 * np.sqrt(p[1] * p[2] / n)


def test_value_is_match_times_score_times_sales() -> None:
    view = make_view(users=2, products=3, columns=SearchEngine.columns)
    view.world.product["category"][:] = 0
    made = mechanism(SearchEngine, view, match_low=1.0, score_exponent=2.0, sales_exponent=0.5, half_life_days=1.0)
    view.state["merchant"]["score"][:] = [5.0, 2.5]
    view.state["product"]["sold"][:] = [0, 30, 6, 0, 48, 270]
    apply(view, made.close(view))
    recent = view.state["product"]["sold"] / 2  # half is forgotten in the first night
    value = (np.repeat([5.0, 2.5], 3) / 5) ** 2 * (1 + recent) ** 0.5
    assert np.argsort(ranks(view)).tolist() == np.argsort(-value, kind="stable").tolist()
    assert np.argsort(ranks(view)).tolist() == [1, 5, 2, 4, 0, 3]  # 4, 2.9, 2, 1.25, 1, 0.25


def test_old_sales_are_forgotten_with_their_half_life() -> None:
    view, made = engine(half_life_days=7.0)
    view.state["product"]["sold"][0] = 100
    remembered = []
    for _ in range(15):
        apply(view, made.close(view))
        state = view.state["product"]
        remembered.append(state["sold"][0] - state["sold_past"][0])
    assert remembered[0] == pytest.approx(100 * 0.5 ** (1 / 7))
    assert remembered[7] / remembered[0] == pytest.approx(0.5)
    assert remembered[14] / remembered[0] == pytest.approx(0.25)


@given(st.lists(st.integers(0, 50), min_size=24, max_size=24), st.lists(st.floats(0, 5), min_size=4, max_size=4))
def test_ranks_are_a_permutation_of_each_category_of_each_world(sold: list[int], score: list[float]) -> None:
    view, made = engine(users=2, seeds=(7, 8))
    view.state["product"]["sold"][:] = sold
    view.state["merchant"]["score"][:] = score
    apply(view, made.close(view))
    for world in range(2):
        for category in range(2):
            mine = ranks(view)[world * 12 + category * 6 : world * 12 + category * 6 + 6]
            assert sorted(mine.tolist()) == list(range(6))


@given(st.integers(0, 5), st.integers(0, 100))
def test_selling_more_never_costs_a_rank(product: int, more: int) -> None:
    view, made = engine(users=2)
    view.state["product"]["sold"][:6] = [3, 1, 4, 1, 5, 9]
    apply(view, made.close(view))
    before = ranks(view)[product]
    view, made = engine(users=2)
    view.state["product"]["sold"][:6] = [3, 1, 4, 1, 5, 9]
    view.state["product"]["sold"][product] += more
    apply(view, made.close(view))
    assert ranks(view)[product] <= before


def test_only_planned_searchers_see_results_of_their_category_and_world() -> None:
    view, made = engine(users=4, seeds=(7, 8), position_bias=0.0)
    seat(view, planned=np.array([1, 1, 1, 0, 1, 1, 1, 1], bool))
    shown = found(view, made, np.array([0, 1, -1, 0, 1, -1, 2, 0]))
    pairs = set(zip(shown["session"].tolist(), shown["product"].tolist(), strict=True))
    expected = {(0, p) for p in range(6)} | {(1, p) for p in range(6, 12)}
    expected |= {(4, p) for p in range(18, 24)} | {(7, p) for p in range(12, 18)}  # nobody sells category 2
    assert pairs == expected
    assert (shown["cause"] == view.sessions.event[shown["session"]]).all()


def test_nobody_searching_shows_nothing() -> None:
    view, made = engine()
    assert not made.expose(view).exposures
    view.scratch["search"] = np.full(10, -1)
    assert not made.expose(view).exposures


def test_results_of_lone_and_stacked_worlds_are_the_same() -> None:
    lone, alone = engine(users=40, seeds=(8,))
    both, stacked = engine(users=40, seeds=(7, 8))
    one, two = found(lone, alone, 0), found(both, stacked, 0)
    assert ranks(lone).tolist() == ranks(both)[12:].tolist()
    assert ranks(both)[:12].tolist() != ranks(both)[12:].tolist()
    theirs = two["session"] >= 40
    assert (two["session"][theirs] - 40).tolist() == one["session"].tolist()
    assert (two["product"][theirs] - 12).tolist() == one["product"].tolist()


def test_a_score_of_nothing_is_last_but_still_listed() -> None:
    view = make_view(users=2, products=2, columns=SearchEngine.columns)
    view.world.product["category"][:] = 0
    made = mechanism(SearchEngine, view)
    view.state["merchant"]["score"][:] = [0.0, 3.0]
    apply(view, made.close(view))
    assert sorted(ranks(view)[:2].tolist()) == [2, 3]


# ------------------------------------------------------------------------------------------- names, gifts, wordings


def crowded(users: int = 10, keywords: object = 8, merchants: int = 6, seeds: tuple[int, ...] = (7,), **params):  # type: ignore[no-untyped-def]
    """One category that every merchant sells with one product; `keywords` by merchant."""
    columns = (*SearchEngine.columns, *Listing.columns)
    view = make_view(users=users, merchants=merchants, products=1, seeds=seeds, columns=columns, keywords=keywords)
    view.world.product["category"][:] = 0
    return view, mechanism(SearchEngine, view, **params)


def test_a_shops_name_finds_its_goods_best_first_and_nothing_else() -> None:
    view, made = engine(users=4, seeds=(7, 8), position_bias=0.0, name_intent=3.5)
    view.scratch["search_merchant"] = np.array([0, 1, -1, 0, 3, -1, 2, 3])
    shown = made.expose(view).exposures[0]
    for session, merchant in enumerate(view.scratch["search_merchant"].tolist()):
        found = shown["product"][shown["session"] == session]
        assert sorted(found.tolist()) == (list(range(merchant * 6, merchant * 6 + 6)) if merchant >= 0 else [])
        value = view.state["product"]["search_value"][found]
        assert (np.diff(value) <= 0).all()
    assert (shown["appeal"] == 3.5).all()


def test_a_gift_search_finds_what_can_be_given_tagged_goods_first() -> None:
    columns = (*SearchEngine.columns, *GiftPacket.columns)
    view = make_view(users=3, merchants=2, products=3, columns=columns, gift_on=np.array([1, 1, 0, 1, 1, 1], bool))
    made = mechanism(SearchEngine, view, position_bias=0.0, occasion_match=5.0)
    qixi = OCCASIONS.index("qixi")
    override(view, "gift_tags", np.array([0, 0, 1, 0, 1, 0]) << qixi)
    view.world.product["price"][5] = 1_000_001
    view.scratch["search_gift"] = np.array([True, True, False])
    view.scratch["gift_occasion"] = np.array([qixi, OCCASIONS.index("thanks"), qixi])
    shown = made.expose(view).exposures[0]
    first, second = (shown["product"][shown["session"] == session].tolist() for session in (0, 1))
    value = view.state["product"]["search_value"]
    plain = sorted([0, 1, 3, 4], key=lambda p: -value[p])
    assert second == plain
    assert first == [4, *(p for p in plain if p != 4)]


@given(st.lists(st.integers(0, 60), min_size=6, max_size=6), st.integers(0, 20), st.floats(0, 0.3))
def test_value_falls_with_every_keyword_that_is_not_tolerated(words: list[int], tolerated: int, penalty: float) -> None:
    view, made = crowded(keywords=words, tolerated=tolerated, stuffing=penalty)
    want = [-penalty * max(k - tolerated, 0) for k in words]
    assert made.listing(view) == pytest.approx(want)
    plain = mechanism(SearchEngine, make_view(columns=SearchEngine.columns), tolerated=tolerated, stuffing=penalty)
    assert plain.listing(make_view()) == pytest.approx([-penalty * max(8 - tolerated, 0)] * 2)  # an ordinary listing


def test_rare_wordings_are_held_with_the_saturating_chance_and_never_lost_by_a_keyword_more() -> None:
    n, wordings = 400, 200
    held = {}
    for words in (0, 3, 10, 40):
        view, made = crowded(merchants=n, keywords=words, breadth=10.0)
        product = np.repeat(np.arange(n), wordings)
        held[words] = made._holds(view, product, np.tile(np.arange(wordings), n))
        p = 1 - np.exp(-words / 10.0)
        assert abs(held[words].mean() - p) <= 4 * np.sqrt(p * (1 - p) / held[words].size)
    assert (held[3] <= held[10]).all() and (held[10] <= held[40]).all()
    assert not held[0].any()


def test_rare_searches_against_every_product_one_by_one() -> None:
    """The page of a rare wording: the listings that hold it, by value; each examined at its own rank."""
    view, made = crowded(users=3_000, keywords=[2, 5, 9, 14, 25, 60], rare=0.6, wordings=7, stuffing=0.03)
    shown = found(view, made, 0)
    event, key, number = view.sessions.event, view.world.merchant_key, view.world.product_number(np.arange(6))
    rare = draws.uniform("platform.search_engine/rare", event) < 0.6
    wording = draws.below("platform.search_engine/wording", event, 7)
    value = view.state["product"]["search_value"] - 0.03 * np.maximum(view.state["merchant"]["keywords"] - 12, 0)
    order = np.argsort(-value)
    want = set()
    for session in range(3_000):
        rank = 0
        for product in order.tolist():
            luck = draws.uniform(
                "platform.search_engine/holds", key[product], number[product] * MOST_WORDINGS + wording[session]
            )
            share = 1 - np.exp(-view.state["merchant"]["keywords"][product] / 10.0)
            if rare[session] and luck[0] >= share:
                continue
            rank += 1
            if draws.uniform("platform.search_engine/examine", event[session], number[product])[0] < 1 / rank:
                want.add((session, product))
    assert set(zip(shown["session"].tolist(), shown["product"].tolist(), strict=True)) == want


def test_some_keywords_are_better_than_few_and_than_many() -> None:
    """Views of one listing among ordinary ones: most in between, as wordings are won and rank is lost."""
    views = {}
    for words in (1, 12, 60):
        view, made = crowded(users=8_000, merchants=20, keywords=[words, *[8] * 19], rare=0.7, stuffing=0.08)
        override(view, "search_value", np.where(np.arange(20) == 0, -0.2, np.linspace(-0.5, 0.0, 20)))
        views[words] = int((found(view, made, 0)["product"] == 0).sum())
    assert views[12] > 1.2 * views[1] and views[12] > 1.2 * views[60]


def test_rare_and_named_searches_of_lone_and_stacked_worlds_are_the_same() -> None:
    shown = []
    for seeds in ((8,), (7, 8)):
        view, made = crowded(users=60, seeds=seeds, keywords=5, rare=0.8, merchants=3)
        n = len(view.sessions)
        view.scratch["search"] = np.where(np.arange(n) % 60 < 40, 0, -1)
        shop = np.arange(n) % 3 + np.arange(n) // 60 * 3
        view.scratch["search_merchant"] = np.where(np.arange(n) % 60 < 40, -1, shop)
        one = made.expose(view).exposures[0]
        mine = one["session"] >= n - 60
        shown.append(((one["session"][mine] % 60).tolist(), (one["product"][mine] % 3).tolist()))
    assert shown[0] == shown[1]
    assert len(shown[0][0]) > 40


# ------------------------------------------------------------------------------------------------------ whole runs

TOWN = """
title: A listing among ordinary ones
seed: 3
horizon: {{start: 2025-03-03, days: 4, tick: 12h}}
world: {{people: {{count: 400}}, graph: {{networkx: {{generator: empty_graph}}}}, groups: {{per_person: 0}}}}
record: all
platform: {{rules: {{}}, search_engine: {{{engine}}}}}
people: {{browse: {{opens: 1}}, search_intent: {{share: 1}}, buy: {{}}}}
merchants:
  ours: {{products: {{tea: {{category: tea}}}}, operations: {{{listing}}}}}
{others}
"""
OTHERS = "\n".join(f"  shop_{n}: {{products: {{tea: {{category: tea}}}}}}" for n in range(9))


def seen(folder: Path, listing: str, engine: str = "") -> int:
    """How often our product is noticed among what searches find."""
    folder.mkdir()
    ledger = play(TOWN.format(engine=engine, listing=listing, others=OTHERS), folder, activity=20.0)
    ((count,),) = ledger.rows("SELECT count(*) FROM events WHERE kind = 'exposure' AND product = 0")
    return int(count)


@pytest.mark.slow
def test_keywords_win_wordings_and_stuffing_loses_rank_through_a_whole_run(tmp_path: Path) -> None:
    engine = "rare: 0.6, stuffing: 0.1"
    shown = {words: seen(tmp_path / str(words), f"listing: {{keywords: {words}}}", engine) for words in (1, 12, 60)}
    assert shown[12] > 1.2 * shown[1]
    assert shown[12] > 1.2 * shown[60]


@pytest.mark.slow
def test_keywords_count_by_default_and_only_where_a_listing_is_stated(tmp_path: Path) -> None:
    """With 12 keywords instead of none the default share of rare searches finds us with chance 1 - exp(-1.2)."""
    none, some = (seen(tmp_path / str(words), f"listing: {{keywords: {words}}}") for words in (0, 12))
    usual = seen(tmp_path / "usual", "listing: {keywords: 0}", "rare: 0")
    assert none < some
    assert abs(none - 0.89 * usual) < 4 * np.sqrt(usual * 0.11)
    assert seen(tmp_path / "unstated", "") == seen(tmp_path / "off", "", "rare: 0")
