"""Catalogues are complete and hold nothing stale; what is told in Chinese is Chinese, and fits."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import polib
import pytest
from typer.testing import CliRunner

from docs.words import in_code, messages
from sim.cli import app
from sim.study.table import WIDTH, table
from sim.words import ENGLISH, FOLDER, _, languages, preferred, several, speaking, taken_apart, told
from tests.study.example import comparison
from tests.study.tiny import write

OTHERS = [language for language in languages() if language != ENGLISH]


def placeholders(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_complete_and_has_nothing_stale(language: str) -> None:
    """If this fails: `make words`, then translate what has no translation in sim/words."""
    book = [entry for file in (FOLDER / language).glob("*.po") for entry in polib.pofile(str(file))]
    assert len(book) == len(messages())
    assert {(entry.msgid, entry.msgid_plural) for entry in book} == set(messages())
    said = {entry.msgid: [*entry.msgstr_plural.values()] if entry.msgid_plural else [entry.msgstr] for entry in book}
    assert [text for text, told_ in said.items() if not all(told_)] == []
    assert [entry.msgid for entry in book if entry.fuzzy or entry.obsolete] == []
    wrong = [t for t, told_ in said.items() if any(placeholders(each) != placeholders(t) for each in told_)]
    assert wrong == []


def test_texts_are_found_in_code() -> None:
    code = '_("one {a}", a=1); marked("two"); several("three", "many", n); other("four"); _(name)'
    assert [*in_code(ast.parse(code))] == [("one {a}", ""), ("two", ""), ("three", "many")]


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "zh:en"}, "zh"),
        ({"LANG": "xx_YY", "LC_ALL": ""}, "en"),
    ],
)
def test_the_environment_says_which_language(environment: dict[str, str], language: str) -> None:
    assert preferred(environment) == language


def test_numbers_and_names_are_no_part_of_a_text() -> None:
    assert taken_apart("Repeat share, 30 days (store)") == (
        "Repeat share, {n} days ({what})",
        {"n": "30", "what": "store"},
    )
    assert told("about 1,200 more seeds") == "about 1,200 more seeds"
    with speaking("zh"):
        assert told("about 1,200 more seeds") == "约需再加 1,200 个种子"
        assert told("Repeat share, 30 days (store)") == "30 天复购率（微信小店）"
        assert told("nobody has translated this") == "nobody has translated this"
        assert _("failed: {strategy}, seed {seed}: {error}", strategy="{x}", seed=1, error="e").count("{x}") == 1
    assert several("{count} run", "{count} runs", 2) == "2 runs"


def test_a_table_in_chinese_is_chinese_and_fits() -> None:
    english = table(comparison())
    with speaking("zh"):
        chinese = table(comparison())
    assert table(comparison()) == english
    width = [sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in chinese.splitlines()]
    assert max(width) <= WIDTH
    assert {"均值", "差值", "基准", "更好"} <= set(re.findall(r"[\u4e00-\u9fff]+", chinese))
    kept = {
        "GMV",
        "GPM",
        "store",
        "only",
        "mini",
        "program",
        "with",
        "everything",
        "Which",
        "one",
        "ContractError",
        "broke",
    }
    assert set(re.findall(r"[A-Za-z]+", chinese)) <= kept | {"tea_house", "tea", "house", "replications", "N"}


@pytest.mark.slow
def test_the_command_speaks_and_its_files_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    found = {}
    for language in ("en", "zh"):
        result = CliRunner().invoke(
            app, ["--lang", language, "compare", "tiny.yaml", "--workers", "1", "--out", language]
        )
        assert result.exit_code == 0, result.output
        found[language] = result.output
    assert "95 % interval" in found["en"] and "95 % 区间" in found["zh"]
    assert "已写入" in found["zh"]
    for name in ("table.txt", "comparison.json"):
        assert Path("en", name).read_bytes() == Path("zh", name).read_bytes()


def test_a_language_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(app, ["--lang", "xx", "scenarios"])
    assert result.exit_code == 2
    assert "en, zh" in result.stderr


def test_english_reads_no_catalogue() -> None:
    script = "import sys, sim.words as w; w._('better'); print('polib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
