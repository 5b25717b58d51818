from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.channels.moments import Moments
from sim.config.load import load
from sim.config.parameters import patched
from sim.contract import Effects, View
from sim.ledger.schema import Records
from sim.run import run
from sim.units import DAY, HOUR
from sim.world.state import FOLLOWS, GROUP, MINI, MUTED
from tests.views import CHANNELS, make_view, mechanism, seat, show

DAY_OF_POST = 10


def stage(users: int = 2_000, moments: dict[str, Any] | None = None, **overrides: Any) -> tuple[View, Moments]:
    """Everybody scrolls Moments at noon on the day after a post of merchant 0 at 20 h."""
    view = make_view(users, **{"day": DAY_OF_POST + 1, "known": 2, **overrides})
    view.scratch["surface_moments"] = np.ones(users, np.bool_)
    post = Records(1, time=DAY_OF_POST * DAY + 20 * HOUR, event=7, merchant=0, product=2)
    view.contents["moments_post"] = post
    return view, mechanism(Moments, view, **(moments or {}))


def readers(fx: Effects) -> list[int]:
    return [s for e in fx.exposures for s in e["session"].tolist()]


@pytest.mark.parametrize("flags", [FOLLOWS, GROUP, FOLLOWS | GROUP])
def test_contacts_see_posts_at_the_rate(flags: int) -> None:
    users, p = 20_000, 0.3
    view, moments = stage(users, flags=flags)
    fx = moments.expose(view)
    assert abs(len(readers(fx)) - users * p) < 4 * np.sqrt(users * p * (1 - p))
    assert {
        (e["channel"], *np.unique(e["product"]).tolist(), *np.unique(e["cause"]).tolist()) for e in fx.exposures
    } == {(CHANNELS["moments"], 2, 7)}
    assert not fx.events and not fx.relations  # the stream tires nobody


@pytest.mark.parametrize(
    "overrides", [{"flags": 0}, {"flags": MINI}, {"flags": FOLLOWS | MUTED}, {"flags": GROUP, "planned": False}]
)
def test_who_sees_nothing(overrides: dict[str, Any]) -> None:
    view, moments = stage(200, {"seen": 1.0}, **overrides)
    assert readers(moments.expose(view)) == []


def test_only_those_who_scroll_see_a_post_once_while_it_is_fresh() -> None:
    view, moments = stage(100, {"seen": 1.0}, flags=FOLLOWS)
    view.scratch["surface_moments"][40:] = False
    assert readers(moments.expose(view)) == list(range(40))
    view.state["user"]["last_seen"][:20] = DAY_OF_POST * DAY + 21 * HOUR
    assert readers(moments.expose(view)) == list(range(20, 40))
    seat(view, day=DAY_OF_POST + 4)
    view.scratch["surface_moments"] = np.ones(100, np.bool_)
    assert readers(moments.expose(view)) == []
    del view.scratch["surface_moments"]
    assert readers(moments.expose(view)) == []


def test_posts_go_out_as_planned_and_to_all() -> None:
    view, moments = stage(4, {"posts_per_week": 5, "hour": 8})
    rows = moments.agenda(view, 21)["moments_post"]
    assert rows.n == 2 * 3 * 5 == np.unique(rows.event).size
    assert set((rows.time % DAY // HOUR).tolist()) == {8}
    fx = moments.settle(view, "moments_post", rows, np.ones(rows.n, np.bool_))
    assert [(kind, r.n) for kind, r in fx.events] == [("moments_post", rows.n)]
    assert sum(r.n for _, r in fx.publications) == rows.n


@pytest.mark.parametrize(
    ("channel", "worth"), [("share_moments", 0.3), ("moments", 0.3), ("share_chat", 0.0), ("store", 0.0)]
)
def test_posters_adorn_what_is_seen_in_moments(channel: str, worth: float) -> None:
    view = make_view(4)
    moments = mechanism(Moments, view, on=[True, False], quality=0.5, poster=0.6)
    show(view, np.arange(4), np.array([0, 1, 3, 4]), CHANNELS[channel])
    found = moments.appraise(view).appeals
    assert (found[0].tolist() if found else [0.0] * 4) == [worth, worth, 0.0, 0.0]


@pytest.mark.slow
def test_moments_act_in_the_scenario_that_asks_about_them(tmp_path: Path) -> None:
    """In a small town that follows whenever it is asked: without an account nobody was a contact, and nothing acted."""
    file = tmp_path / "town.yaml"
    file.write_text(
        "extends: real_friends\nhorizon: {start: 2025-03-03, days: 15, tick: 6h}\n"
        "world: {people: {count: 300}, graph: {file: null}}\npeople: {browse: {opens: 1.0}, follow: {propensity: 1}}\n"
    )
    cards = load(file).strategy("people share + Moments cards")
    alone = patched(cards, {"merchants.snack_lab.channels.service_account.follow_prompt": 0.0})
    seen = []
    for name, scenario in (("asked", cards), ("alone", alone)):
        (ledger,) = run(scenario, (1,), (tmp_path / name,))
        seen.append(dict(ledger.rows("SELECT kind, sum(count) FROM daily WHERE channel = 'moments' GROUP BY kind")))
    assert seen[0]["moments_post"] == seen[1]["moments_post"] > 0
    assert seen[0]["exposure"] > 20 and seen[0]["view"] > 0
    assert "exposure" not in seen[1]
