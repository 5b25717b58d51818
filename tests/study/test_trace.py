"""Lives and stories: every kind has its sentence, chains end at their root, and nothing that followed is forgotten."""

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sim import catalog
from sim.cli import app
from sim.config.load import load
from sim.contract import Kind
from sim.errors import StudyError
from sim.ledger.audit import DEALS
from sim.ledger.reader import Ledger
from sim.ledger.schema import COLUMNS
from sim.run import run
from sim.study.sentence import Teller, fields, span
from sim.study.shrink import resized
from sim.study.trace import BELOW, WIDTH, hints, life, story
from sim.units import DAY, HOUR
from tests.ledger.story import market

TOWN = """
title: A town
extends: base
horizon: {start: 2025-01-20, days: 9, tick: 12h}
record: all
world: {people: {count: 150}}
platform: {rivals: {attraction: 0}}
people: {browse: {opens: 0.9}, gift: {everyday: 0.2}, share: {after_view: 0.05, after_order: 0.5}}
merchants: {tea_house: {offers: {gift_packet: {}}, channels: {service_account: {broadcasts_per_month: 8}}}}
"""
EMPTY = {name: default for name, (_, default) in COLUMNS.items()} | {"channel": None}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A little market told by hand: its ids are 1, 2, 3, ..."""
    return market().write(tmp_path_factory.mktemp("told") / "run")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A run of the model, with every exposure."""
    folder = tmp_path_factory.mktemp("lived")
    (folder / "town.yaml").write_text(TOWN, encoding="utf-8")
    return run(load(folder / "town.yaml"), out=(folder / "run",))[0]


def number(ledger: Ledger, kind: str, nth: int = 0) -> int:
    rows = ledger.rows("SELECT event FROM events WHERE kind = $kind ORDER BY time, event", kind=kind)
    return int(rows[nth][0])


def rewritten(told: Ledger, **changes: Any) -> Ledger:
    """The same ledger with another manifest."""
    other = Ledger(told.folder)
    other.manifest |= changes
    return other


# ---------------------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(("name", "kind"), catalog.kinds().items(), ids=catalog.kinds().keys())
def test_every_kind_that_may_be_written_says_itself_in_columns_that_exist(name: str, kind: Kind, told: Ledger) -> None:
    assert kind.says or kind.stage or kind.doc.startswith(("message ", "content: ")), (
        f"{name} is written, and has no sentence"
    )
    ways = {"", *Teller(told).ways}
    assert {column for column, _ in fields(kind.says)} <= COLUMNS.keys() - {"time", "event", "cause"}
    assert {how for _, how in fields(kind.says)} <= ways
    assert not re.search(r"[{}\[\]|]", Teller(told).sentence({**EMPTY, "kind": name}))


@pytest.mark.slow
def test_every_kind_that_runs_write_has_a_sentence(lived: Ledger, tmp_path: Path) -> None:
    whole = resized(load("triangle").strategy("all three"), users=600, days=40)
    (other,) = run(whole, (1,), (tmp_path / "run",))
    written = {kind for ledger in (lived, other) for (kind,) in ledger.rows("SELECT DISTINCT kind FROM daily")}
    assert len(written) > 15
    assert {kind for kind in written if not catalog.kinds()[kind].says} == set()


@pytest.mark.parametrize(
    ("says", "she", "expected"),
    [
        ("{user} gives {peer} {quantity} × {product} of {merchant} for {amount}", -1,
         "User 1 gives user 2 3 × green tea of tea house for 1,234.50 yuan."),
        ("{user} gives {peer} something", 1, "She gives user 2 something."),
        ("{user} gives {peer} something", 2, "User 1 gives her something."),
        ("it went by {channel}[, as {detail}]", -1, "It went by share chat."),
        ("it reaches [{peer}, a friend|{user}]", -1, "It reaches user 2, a friend."),
        ("it holds [{detail} of {variant}|nothing]", -1, "It holds nothing."),
        ("it is {detail:nth}, {detail:yuan}, {detail:when}", -1, "It is 1, 0.00 yuan, day 0 00:00:00."),
        ("", -1, "User 1: tea house: what x is."),
    ],
)  # fmt: skip
def test_a_sentence_is_filled_in(told: Ledger, says: str, she: int, expected: str) -> None:
    row = {"kind": "x", "user": 1, "peer": 2, "quantity": 3, "product": 0, "merchant": 0, "amount": 123_450}
    teller = Teller(told, she, {"x": Kind("what x is", says=says)})
    assert teller.sentence({**EMPTY, **row, "channel": "share_chat"}) == expected


def test_a_length_of_time() -> None:
    assert span(2 * DAY + 3 * HOUR + 59) == "2 d 3 h"
    assert span(3 * HOUR + 61) == "3 h 1 min"


def test_dates_are_of_beijing(told: Ledger) -> None:
    dated = rewritten(told, scenario={"horizon": {"start": "2025-01-20"}})
    assert Teller(dated).when(14 * HOUR + 3 * 60 + 7) == "2025-01-20 Mon 14:03:07"
    assert Teller(dated).when(40 * DAY) == "2025-03-01 Sat 00:00:00"
    assert Teller(told).when(DAY + 5) == "day 1 00:00:05"


# -------------------------------------------------------------------------------------------------------- lives


def test_a_life_tells_what_she_does_and_what_is_done_to_her(told: Ledger) -> None:
    text = life(told, 3)
    days = [line for line in text.splitlines() if line.startswith("day ")]
    assert days == ["day 4", "day 5", "day 6"]
    text = " ".join(text.split())
    assert "User 1 gives her 1 × green tea of tea house for 70.00 yuan (store). [" in text
    assert "03:00:00 She takes the gift from user 1" in text
    assert "She gives user 4 1 × cake of bakery for 30.00 yuan" in text
    assert "user 2" not in text


def test_a_life_says_what_led_to_what(told: Ledger) -> None:
    lines = life(told, 2).splitlines()
    at = next(i for i, line in enumerate(lines) if "She mutes tea house." in line)
    assert lines[at + 1].strip().startswith("← day 4 00:00:10: User 1 shares something of tea house")
    at = next(i for i, line in enumerate(lines) if "She sends 1 × green tea" in line)
    assert "← day 1 00:01:40" in " ".join(lines[at : at + 3])


def test_what_happens_in_a_visit_stands_under_it(lived: Ledger) -> None:
    ((user, time),) = lived.rows("SELECT user, time FROM events WHERE kind = 'order' ORDER BY time LIMIT 1")
    lines = life(lived, user).splitlines()
    clock = Teller(lived).clock(time)
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{clock}  She opens WeChat."))
    under = lines[at + 1 : lines.index("", at)]
    visit = [line for line in under if line.startswith(" " * 12)]
    bought = next(i for i, line in enumerate(visit) if "She buys" in line)
    assert any("She notices" in line for line in visit[:bought])


@pytest.mark.slow
def test_every_event_of_a_life_is_told_once_in_the_usual_width(lived: Ledger) -> None:
    for user in range(40):
        text = life(lived, user)
        ids = [f"{e:016x}"[:8] for (e,) in lived.rows("SELECT event FROM events WHERE user = $u OR peer = $u", u=user)]
        said = re.findall(r"(?<!←)[^←]\[([0-9a-f]{8})\]", re.sub(r"\n\s+", " ", re.sub(r"←[^]]*\]", "", text)))
        assert sorted(said) == sorted(ids)
        assert max(map(len, text.splitlines())) <= WIDTH


def test_a_ledger_says_what_it_does_not_hold(told: Ledger) -> None:
    assert "Not written here, only counted: exposure, view, click" in life(told, 7)
    assert "--record all" in " ".join(life(told, 7).split())
    assert "Not written" not in life(rewritten(told, everything=True), 7)


def test_there_is_no_such_user(told: Ledger) -> None:
    for user in (-1, 20):
        with pytest.raises(StudyError, match="users 0 to 19"):
            life(told, user)


# ------------------------------------------------------------------------------------------------------ stories


def test_a_story_goes_back_to_the_root(told: Ledger) -> None:
    text = story(told, f"{number(told, 'mute'):016x}")
    why = text[text.index("Why") : text.index("Nothing followed")]
    told_in_turn = [why.index(word) for word in ("by her own habit", "opens WeChat", "buys", "shares", "mutes")]
    assert told_in_turn == sorted(told_in_turn)
    assert "→ day 4 00:05:00  User 2 mutes tea house." in why


def test_a_plan_of_a_shop_is_a_root(told: Ledger) -> None:
    assert "Root: the calendar of tea house." in story(told, f"{number(told, 'spend'):016x}")


def test_a_story_tells_the_money(told: Ledger) -> None:
    text = story(told, f"{number(told, 'order'):016x}")
    assert "50.00 yuan: wallet of user 1 → escrow of tea house" in text
    standing = {
        line.split("yuan")[1].strip(): line.split()[0] for line in text.splitlines() if re.match(r" +[+-]", line)
    }
    assert standing == {
        "wallet of user 1": "-50.00",  # paid
        "platform": "+2.50",  # one twentieth
        "courier": "+8.00",
        "promoter of user 7": "+2.50",  # set aside when it was paid, hers when it is completed
        "cash of tea house": "+37.00",
    }
    assert "It moved nothing." in story(told, f"{number(told, 'share'):016x}")


def test_all_that_followed_is_told_or_counted(lived: Ledger) -> None:
    rows = lived.rows("SELECT event, cause FROM events")
    below: dict[int, set[int]] = {}
    for event, cause in rows:
        below.setdefault(cause, set()).add(event)

    def descent(event: int) -> set[int]:
        own = below.get(event, set())
        return own.union(*(descent(each) for each in own))

    for event in [number(lived, kind) for kind in ("visit", "share", "gift_sent", "broadcast", "restock")]:
        text, found = story(lived, f"{event:016x}"), descent(event)
        named = re.search(r"What followed, ([0-9,]+) event", text)
        assert int(named[1].replace(",", "") if named else 0) == len(found)
        said = re.findall(r"\[([0-9a-f]{8})\]", text[named.start() :] if named else "")
        assert set(said) <= {f"{each:016x}"[:8] for each in found}
        counted = sum(int(n) for n in re.findall(r"\.\.\. and (\d+) event", text))
        assert len(said) + counted == len(found)
        assert len(said) <= BELOW
        assert max(map(len, text.splitlines())) <= WIDTH


def test_a_broken_chain_is_told(tmp_path: Path) -> None:
    spoilt = market()
    mute = next(row for row in spoilt.events if row["kind"] == "mute")
    mute["cause"] = 999
    text = " ".join(story(spoilt.write(tmp_path / "run"), f"{mute['event']:016x}").split())
    assert "The chain breaks here: the cause 00000000000003e7 is not in this ledger" in text
    assert "exposure, view, click" in text


def test_an_event_is_found_by_the_beginning_of_its_id(lived: Ledger) -> None:
    whole = f"{number(lived, 'order'):016x}"
    assert story(lived, whole[:9]) == story(lived, whole) == story(lived, "0x" + whole.upper())
    with pytest.raises(StudyError, match="give more digits") as caught:
        story(lived, whole[0])
    assert len(re.findall(r"\[[0-9a-f]{16}\]", str(caught.value))) > 1


def test_an_id_may_be_given_as_a_number(told: Ledger) -> None:
    assert "Event 0000000000000003 " in story(told, "0x3")


@pytest.mark.parametrize("wrong", ["", "order", "0x", "12345678901234567", "ffffffffffffffff"])
def test_an_event_that_is_not_there_is_told_in_a_line(told: Ledger, wrong: str) -> None:
    with pytest.raises(StudyError, match="no event") as caught:
        story(told, wrong)
    assert "\n" not in str(caught.value)


# -------------------------------------------------------------------------------------------------- the command


def wxsim(*words: object) -> Any:
    return CliRunner().invoke(app, ["trace", *(str(word) for word in words)])


@pytest.mark.slow
def test_hints_can_be_followed(lived: Ledger) -> None:
    options = re.findall(r"--(user|event) ([0-9a-f]+) ", wxsim(lived.folder).output)
    assert {name for name, _ in options} == {"user", "event"}
    for name, value in options:
        assert wxsim(lived.folder, f"--{name}", value).exit_code == 0
    ((dearest,),) = lived.rows(
        "SELECT max(amount) FROM events WHERE list_contains($deals::VARCHAR[], kind)", deals=[*DEALS]
    )
    assert f"{dearest / 100:,.2f} yuan" in hints(lived)


def test_wrong_options_are_told(told: Ledger) -> None:
    for words, said in (
        (("--user", 99), "no user 99"),
        (("--event", "abc"), "no event abc"),
        (("--user", 1, "--event", "1"), "not both"),
    ):
        result = wxsim(told.folder, *words)
        assert result.exit_code == 2
        assert said in result.stderr
