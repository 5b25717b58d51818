"""Every command in Chinese says nothing in English but names, keys and paths; what is for programs stays English."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sim.cli import app
from sim.cli.terminal import WIDTH
from sim.errors import StudyError
from sim.words import _
from sim.words.columns import width
from tests.study.tiny import TEXT

HAN = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?<![\w/.-])[A-Za-z]+(?: [a-z]+){2,}")  # three words with nothing but spaces between
QUOTED = re.compile(
    r"`[^`]*`|“[^”]*”|'[^']*'|\bwxsim [a-z]+|\[Errno [0-9]+\] [A-Za-z ]+"
)  # and commands, the system's words
SCENARIO = (
    TEXT.replace("A small question", "一个小问题").replace("store only", "base").replace("count: 150", "count: 60")
)
STUDY = (
    "{title: 问题, scenario: tiny.yaml, seeds: 1, strategies: [base, cheaper], axes: {people.browse.opens: [0.7, 1]}}"
)
FAULTS = {  # a scenario with most kinds of faults, one with most kinds of warnings, and texts that cannot be read
    "bad": """
        title: ""
        horizon: {start: 2025-13-03, days: 0, tick: 7m}
        seed: x
        nonsense: 1
        world: {people: {count: -5}, graph: {networkx: {generator: path_graf}}}
        platform: {rules: {}, serch_engine: {}}
        people: {buy: {nothing: "a"}, browse: {opens: 3}}
        merchants:
          tea house: {products: {cake: {category: teaa, price: 90, cost: 30}}}
          shop:
            category: foo
            products: {cup: {category: tea, price: [], cost: , variants: [a, a]}}
            channels: {store: {}, articles: {linked: [nobody]}}
            offers:
              gift_packet: {occasions: [foo], text: 0.9, voice: 0.9}
              full_reduction: {steps: [{above: 10, off: 20}]}
            operations: {inventory: false, inventory: {}}
        strategies:
          one: {}
          two: {extends: thre, seed: 3, merchants.nix.channels: {}}
          three: {merchants.shop.products.nix.price: 3, horizon.days: 4, merchants.shop: 3}
          four: 5
          five: {extends: six}
          six: {extends: five}
        compare: {baseline: zero, metrics: [nix], replications: 0, merchant: nobody, synergy: {nix: [one, nix]}}
        expects: [{metric: nix, strategy: one, is: lower, times: [1, 2]}, {metric: orders, strategy: one}]
    """,
    "idle": """
        title: idle
        horizon: {start: 2024-12-01, days: 5}
        world: {people: {count: 100}}
        platform: {rules: {}, recommender: {engagement: 1}}
        people: {browse: {}, buy: {}}
        merchants:
          shop:
            products: {cup: {category: tea, price: 90, cost: 10}}
            channels: {moments: {}, articles: {}, cart: {reminders: 0, consent: 0.5}, live: {first_day: 30}}
            offers:
              gift_packet: {}
              limited_time_sale: {when: campaign, products: [nix]}
              joint_campaign: {day: 90}
              points: {earned_in: mini_program}
              lottery: {first_day: 99}
            operations: {assortment: {}, listing: {renown: 0.2}}
    """,
    "flow": "title: a\nx: [1, 2\ny: 3\n",
    "colon": "title: a: b\n",
    "tab": "title: a\nworld:\n\tpeople: {}\n",
    "tags": "title: !!str a\nworld: &here {}\npeople: *here\nseed: 1e999\nseed: 123456789012345678901234567890\n",
    "list": "- a\n",
    "seeds": "{title: a, scenario: tiny.yaml, seeds: 0, axis: {}, axes: {people.browse.opens: {from: 2, to: 1}}}",
    "astray": "{title: a, scenario: tiny.yaml, axes: {people.browse.open: [1, 2]}}",
    "high": "{title: a, scenario: tiny.yaml, axes: {people.browse.opens: [0.5, 2]}}",
}
TOLD = {  # commands, and their exit code
    "run tiny.yaml --out two --profile": 0,
    "audit one": 0,
    "reproduce one": 0,
    "trace one": 0,
    "trace one --user 1": 0,
    "genealogy one": 0,
    "sweep study.yaml --dry-run": 0,
    "mechanisms": 0,
    "metrics": 0,
    "new shop.yaml --yes --strategy gift_packet --strategy cheaper": 0,
    "lint idle.yaml": 0,
    **{f"lint {name}.yaml": 2 for name in ("bad", "flow", "colon", "tab", "tags", "list", "none")},
    **{f"sweep {name}.yaml --dry-run": 2 for name in ("seeds", "astray", "high", "none")},
    "run tiny.yaml --strategy cheap": 2,
    "run tiny.yaml --out .": 2,
    "compare tiny.yaml --budget 3": 2,
    "compare tiny.yaml --until never": 2,
    "compare tiny.yaml --json nowhere/found.json": 2,
    "trace one --user 90": 2,
    "trace one --event xyz": 2,
    "trace one --event 123": 2,
    "trace one --user 1 --event 1": 2,
    "genealogy one --merchant cafe": 2,
    "genealogy one --out trees.txt": 2,
    "status one": 2,
    "results one": 2,
    "audit tiny.yaml": 2,
    "report study.yaml": 2,
    "report one --figures a --diffusion": 2,
    "verify": 2,
    "verify tiny.yaml --swarm 1": 2,
    "metrics orderz": 2,
    "new shop.yaml --yes --sell tea --price -1": 2,
    "new other.yaml --yes --sell tea --channel shop": 2,
    "--lang xx run": 2,
}
SLOW = {
    "scenarios": 0,
    "verify tiny.yaml --users 30 --days 1": 0,
    "compare tiny.yaml --workers 1 --out both": 0,
    "compare tiny.yaml --workers 1 --until decided --budget 6 --confirm 2": 0,
    "sweep study.yaml --workers 1 --out swept": 0,
    "status swept": 0,
    "results swept --answer": 0,
    "sensitivity study.yaml --workers 1 --size 2 --metric orders": 0,
    "verify --swarm 1 --seed 3": 0,
}


def wxsim(*words: str, lang: str = "zh") -> Result:
    system = {"LANGUAGE": lang, "COLUMNS": "80"}
    return CliRunner().invoke(app, words, env=system)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a scenario, a study, a run and files that are wrong."""
    folder, before = tmp_path_factory.mktemp("chinese"), Path.cwd()
    os.chdir(folder)
    for name, text in {"tiny": SCENARIO, **FAULTS, "study": STUDY}.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    try:
        assert wxsim("run", "tiny.yaml", "--out", "one").exit_code == 0
        yield folder
    finally:
        os.chdir(before)


def english(text: str) -> list[str]:
    """What is told in English: three words or more, outside of quotes and code."""
    return ENGLISH.findall(QUOTED.sub("", text))


def told(command: str, code: int) -> None:
    """The command says something in Chinese and nothing in English, in lines that fit."""
    result = wxsim(*command.split())
    assert result.exit_code == code, result.output
    assert HAN.search(result.output), result.output
    assert english(result.output) == []
    if code == 0 and not command.startswith("lint"):
        assert [line for line in result.stdout.splitlines() if width(line) > WIDTH] == []


def test_english_is_found() -> None:
    assert english("没有 no such thing here，`this is code here`，“a title of hers”") == ["no such thing here"]
    assert english("after_orders, annoyance, aov；runs/one/report.html") == []


@pytest.mark.parametrize(("command", "code"), TOLD.items(), ids=TOLD.keys())
def test_a_command_speaks_chinese(place: Path, command: str, code: int) -> None:
    told(command, code)


@pytest.mark.slow
def test_so_do_comparisons_and_studies(place: Path) -> None:
    for command, code in SLOW.items():
        told(command, code)


def test_an_event_is_told_in_chinese(place: Path) -> None:
    found = json.loads(wxsim("trace", "one", "--json", "-").stdout)["examples"]
    event = next(each["option"].split()[1] for each in found if "event" in each["option"])
    told(f"trace one --event {event}", 0)


@pytest.mark.parametrize("command", ["lint bad.yaml", "lint idle.yaml", "trace one --user 1", "audit one", "metrics"])
def test_json_stays_english(place: Path, command: str) -> None:
    chinese = wxsim(*command.split(), "--json", "-").stdout
    assert chinese == wxsim(*command.split(), "--json", "-", lang="en").stdout
    assert not HAN.search(chinese.replace("一个小问题", ""))


def test_errors_of_runs_are_kept_in_english(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise StudyError(_("unknown"))

    monkeypatch.setattr("sim.study.compare.run", refuse)
    monkeypatch.setattr("sim.study.compare.draw", lambda comparison, path: None)
    result = wxsim("compare", "tiny.yaml", "--workers", "1", "--replications", "1", "--out", "failed")
    assert (result.exit_code, "3 次运行中有 3 次失败" in result.stderr) == (1, True)
    kept = json.loads(Path("failed", "comparison.json").read_text("utf-8"))["failures"]
    assert [each["error"] for each in kept] == ["unknown"] * 3


def test_a_scenario_written_in_chinese_has_no_faults(place: Path) -> None:
    assert wxsim("new", "fresh.yaml", "--yes", "--strategy", "coupon").exit_code == 0
    assert "策略是补丁" in Path("fresh.yaml").read_text("utf-8")
    assert wxsim("lint", "fresh.yaml").output.strip() == "没有错误"
