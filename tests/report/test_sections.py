"""What the sections tell, against the ledgers counted by hand in Python."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from sim.ledger.reader import Ledger
from sim.metrics import catalog
from sim.report import channels, daily, money, trees, users
from sim.report.material import Cell, Material, literal
from sim.report.page import Report
from sim.report.shape import channel
from sim.study.trace import story
from sim.units import DAY, FEN_PER_YUAN
from sim.world.build import society
from sim.world.params import WorldParams
from tests.report.town import BASE, CHEAPER, DAYS, DEAR, PEOPLE, SEEDS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ledgers(material: Material) -> dict[Cell, Ledger]:
    return {cell: cell.ledger() for cell in material.cells}


def deals(ledger: Ledger) -> list[dict[str, Any]]:
    return [row for row in ledger.events.to_pylist() if row["kind"] in ("order", "gift_sent")]


def figure(made: Report, name: str) -> Any:
    (found,) = (each for each in made.figures if each.name == name)
    return found


def by_name(shape: Any) -> dict[str, Any]:
    return {line.name: line for line in shape.lines}


def test_literal_writes_parameters_out() -> None:
    assert literal("\n  SELECT $merchant, $days, $daysy", merchant=None, days=3) == "SELECT NULL, 3, $daysy"


def test_every_question_asked_as_it_stands_gives_the_number(made: Report, material: Material) -> None:
    asked = 0
    for table in made.told["findings"]["tables"]:
        for row in table["rows"]:
            cell = next(material.of(row["strategy"]))
            if table["sql"]:
                ((value,),) = cell.ledger().rows(table["sql"])
                kept = material.comparison.per_seed(row["strategy"], table["name"])[cell.number]
                assert np.isclose(float("nan") if value is None else float(value), kept, equal_nan=True)
                asked += 1
            else:
                assert callable(catalog.METRICS[table["name"]].sql)
    assert asked >= 12


def test_questions_of_sections_asked_as_they_stand_give_what_was_seen(made: Report, material: Material) -> None:
    def answer(section: str) -> list[dict[str, Any]]:
        found = made.told[section]
        rows: list[dict[str, Any]] = Ledger(material.folder / found["place"]).query(found["sql"]).to_pylist()
        return rows

    first = material.cells[0]
    assert {row["channel"]: row["orders"] for row in answer("channels")} == {
        channel: row["orders"] for channel, row in made.seen["channels"][first].items()
    }
    assert {row.pop("channel"): row for row in answer("doors")} == made.seen["doors"][first]
    assert [row["user"] for row in answer("users")] == made.seen["users"][first].user.tolist()
    assert sum(row["fen"] for row in answer("daily")) == pytest.approx(made.seen["daily"][first].sum() * FEN_PER_YUAN)
    assert sum(row["fen"] for row in answer("money")) > 0


def test_facts_are_measured_as_their_questions_say(made: Report, material: Material) -> None:
    own = made.told["facts"]
    runs = [made.seen["facts"][cell] for cell in material.of(BASE)]
    assert own["worlds"] == len(runs) == SEEDS
    measured_here = 0
    for row in own["rows"]:
        values = [run[row["name"]] for run in runs]
        assert bool(row["why"]) == all(np.isnan(values))
        if row["why"]:
            assert row["mean"] is None and not row["sql"] and not row["call"]
            continue
        measured_here += 1
        assert row["mean"] == pytest.approx(np.nanmean(values), rel=1e-5)
        assert row["inside"] == (row["accept"][0] <= row["mean"] <= row["accept"][1])
        if row["sql"]:
            ((value,),) = Ledger(material.folder / own["place"]).rows(row["sql"])
        else:
            monkeyed = row["call"].replace('Ledger("', f'Ledger("{material.folder}/')
            *imports, last = monkeyed.splitlines()
            exec("\n".join(imports), names := dict[str, object]())
            found = eval(last, names)
            value = found if isinstance(found, float) else next(iter(found.values()))
        assert value == values[0]
    assert measured_here >= 4
    assert all(not made.seen["facts"][cell] for cell in material.cells if cell.strategy != BASE)


def test_customers_by_door_are_all_customers(made: Report, material: Material) -> None:
    rows = made.told["doors"]["rows"]
    for name in (BASE, CHEAPER):
        found = catalog.table(next(material.of(name)).ledger(), ("new_customers",), "tea")["new_customers"]
        seen = made.seen["doors"][next(material.of(name))]
        assert sum(row["customers"] for row in seen.values()) == found > 0
        total = sum(row["customers"] or 0 for of in rows.values() for row in of if row["strategy"] == name)
        every = [sum(row["customers"] for row in made.seen["doors"][cell].values()) for cell in material.of(name)]
        assert total == pytest.approx(np.mean(every), rel=1e-5)
    margin = by_name(figure(made, "doors-margin"))[BASE]
    assert sum(margin.mean) == pytest.approx(
        np.mean([sum(row["fen"] for row in made.seen["doors"][cell].values()) for cell in material.of(BASE)]) / 100,
        rel=1e-5,
    )


def test_rows_behind_a_number_can_be_traced(made: Report, material: Material) -> None:
    ids = 0
    for table in made.told["findings"]["tables"]:
        for row in table["rows"]:
            ledger = next(material.of(row["strategy"])).ledger()
            for each in row["behind"].rows:
                assert each.event in story(ledger, each.event)
                ids += 1
            assert row["behind"].count >= len(row["behind"].rows)
    assert ids > 20


def test_days_are_what_was_paid_on_them(made: Report, ledgers: Mapping[Cell, Ledger], material: Material) -> None:
    runs = []
    for cell in material.of(BASE):
        paid = np.zeros(DAYS)
        for row in deals(ledgers[cell]):
            paid[row["time"] // DAY] += row["amount"] / FEN_PER_YUAN
        assert np.allclose(daily.look(cell, ledgers[cell], material), paid)
        runs.append(paid)
    shown = by_name(figure(made, "gmv-by-day"))
    assert np.allclose(shown[BASE].mean, np.mean(runs, axis=0), rtol=1e-5)
    assert shown[DEAR].mean == (0.0,) * DAYS
    ahead = by_name(figure(made, "gmv-ahead"))
    assert set(ahead) == {CHEAPER, DEAR}
    assert np.allclose(ahead[DEAR].mean, -np.mean(np.cumsum(runs, axis=1), axis=0), rtol=1e-5)


def test_the_steps_of_the_money_add_up_to_the_margin(ledgers: Mapping[Cell, Ledger], material: Material) -> None:
    commission = 0.0
    for cell, ledger in ledgers.items():
        steps, _ = money.look(cell, ledger, material)
        wanted = catalog.table(ledger, ("gmv", "margin", "goods_cost", "shipping_cost", "commission"), "tea")
        assert sum(fen for step, fen in steps.items() if step != money.KEPT) == steps[money.KEPT]
        assert steps[money.KEPT] / FEN_PER_YUAN == wanted["margin"]
        assert steps[money.PAID] / FEN_PER_YUAN == wanted["gmv"]
        assert -steps.get("Goods", 0) / FEN_PER_YUAN == wanted["goods_cost"]
        assert -steps.get("Commission", 0) / FEN_PER_YUAN == wanted["commission"]
        commission += wanted["commission"]
        assert -steps.get("Parcels", 0) / FEN_PER_YUAN == wanted["shipping_cost"]
    assert commission > 0.0


def test_the_waterfall_begins_and_ends_with_totals(made: Report) -> None:
    shape = figure(made, "money")
    assert (shape.places[0], shape.places[-1]) == (money.PAID, money.KEPT)
    assert shape.totals == (0, len(shape.places) - 1)
    for line in shape.lines:
        assert sum(line.mean[:-1]) == pytest.approx(line.mean[-1], abs=0.05)


def test_the_funnel_is_that_of_the_daily_counts(
    made: Report, ledgers: Mapping[Cell, Ledger], material: Material
) -> None:
    cells = [*material.of(BASE)]
    counted: Counter[tuple[str, str]] = Counter()
    for cell in cells:
        for row in ledgers[cell].daily.to_pylist():
            stage = {"exposure": "exposures", "view": "views", "order": "orders", "gift_sent": "orders"}.get(
                row["kind"]
            )
            if stage:
                counted[channel(row["channel"] or "none"), stage] += row["count"]
    for stage in channels.STAGES:
        shape = figure(made, f"funnel-{stage}")
        for at, name in enumerate(shape.places):
            assert by_name(shape)[BASE].mean[at] == pytest.approx(counted[name, stage] / len(cells), rel=1e-5)


def test_users_are_paired_with_themselves(made: Report, ledgers: Mapping[Cell, Ledger], material: Material) -> None:
    bought = {cell: Counter(row["user"] for row in deals(ledger)) for cell, ledger in ledgers.items()}
    worlds = []
    for own, base in zip(material.of(CHEAPER), material.of(BASE), strict=True):
        pairs = [(bought[own][user], bought[base][user]) for user in range(PEOPLE)]
        worlds.append(
            [
                sum(a > 0 and b == 0 for a, b in pairs),
                sum(a > b > 0 for a, b in pairs),
                sum(a == b for a, b in pairs),
                sum(0 < a < b for a, b in pairs),
                sum(a == 0 and b > 0 for a, b in pairs),
            ]
        )
        assert sum(worlds[-1]) == PEOPLE
    assert made.told["users"]["ways"][CHEAPER].mean == tuple(np.mean(worlds, axis=0).tolist())
    assert made.told["users"]["ways"][DEAR].mean[:2] == (0.0, 0.0)


def test_groups_of_users_are_thirds_of_the_same_people(
    made: Report, ledgers: Mapping[Cell, Ledger], material: Material
) -> None:
    params = WorldParams.model_validate(material.scenario["world"])
    worlds = []
    for own, base in zip(material.of(DEAR), material.of(BASE), strict=True):
        order = np.argsort(society(params, own.seed).people["income"], kind="stable").tolist()
        counts = Counter(row["user"] for row in deals(ledgers[base]))
        thirds = [order[: PEOPLE // 3], order[PEOPLE // 3 : 2 * PEOPLE // 3], order[2 * PEOPLE // 3 :]]
        worlds.append([-1000.0 * sum(counts[user] for user in third) / len(third) for third in thirds])
    shape = figure(made, "users-by-income")
    assert shape.places == users.THIRDS
    assert np.allclose(by_name(shape)[DEAR].mean, np.mean(worlds, axis=0), rtol=1e-5)


def test_trees_are_counted_by_size(made: Report, ledgers: Mapping[Cell, Ledger], material: Material) -> None:
    (gifts,) = (kind for kind in made.told["trees"]["kinds"] if kind["kind"] == "gifts")
    row = next(row for row in gifts["rows"] if row["strategy"] == BASE)
    sent = [sum(event["kind"] == "gift_sent" for event in deals(ledgers[cell])) for cell in material.of(BASE)]
    assert row["nodes"] == np.mean(sent)
    nodes = sum((trees.look(cell, ledgers[cell], material)["gifts"].sizes.sum() for cell in material.of(BASE)), start=0)
    assert nodes == sum(sent)
    assert sum(by_name(gifts["figure"])[BASE].mean) == pytest.approx(row["trees"], rel=1e-5)
    told = gifts["story"]
    assert told["told"].startswith("Why it happened")
    assert story(Ledger(material.folder / told["place"]), told["event"]).endswith(told["told"])


def test_sizes_fall_into_their_classes() -> None:
    sizes = np.array([1, 1, 2, 3, 4, 5, 8, 9, 16, 17, 400])
    assert trees._by_size(sizes).tolist() == [2, 1, 2, 2, 2, 2]


def test_audits_and_sources_are_told(made: Report) -> None:
    own = made.told["checks"]
    assert [(cell.strategy, broken) for cell, broken in own["audits"]] == [(BASE, ()), (CHEAPER, ()), (DEAR, ())]
    assert own["parameters"] == sum(own["counts"].values())
    assert own["counts"]["assumed"] == len(own["assumed"]) > 50
    assert "gift.deadline_hours" in own["facts"]
