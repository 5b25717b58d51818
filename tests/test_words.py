"""Catalogues are complete and hold nothing stale; what is told in Chinese is Chinese, and fits."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import polib
import pytest
from typer.testing import CliRunner

from docs.words import SIM, in_code, in_template, messages
from sim import catalog
from sim.cli import app
from sim.config.load import load
from sim.config.parameters import parameters
from sim.config.shipped import names
from sim.metrics.catalog import METRICS
from sim.study.table import WIDTH, table
from sim.words import (
    ENGLISH,
    FOLDER,
    _,
    in_english,
    languages,
    preferred,
    several,
    speaking,
    taken_apart,
    told,
    told_by,
)
from sim.words.columns import width
from tests.docs.test_glossary import ROWS
from tests.study.example import comparison
from tests.study.tiny import write

OTHERS = [language for language in languages() if language != ENGLISH]
HAN = "[\u4e00-\u9fff]"
STOPS = "，。：；！？（）“”、"


def read(language: str) -> list[polib.POEntry]:
    return [entry for file in sorted((FOLDER / language).glob("*.po")) for entry in polib.pofile(str(file))]


def said(entry: polib.POEntry) -> list[str]:
    return [*entry.msgstr_plural.values()] if entry.msgid_plural else [entry.msgstr]


@cache
def chinese() -> list[tuple[str, str]]:
    """All texts, each with what is said for it."""
    return [(entry.msgid, text) for entry in read("zh") for text in said(entry)]


def placeholders(text: str) -> set[str]:
    parts = Formatter().parse(text) if "{" in text else ()
    return {name for _text, name, _spec, _conversion in parts if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_complete_and_has_nothing_stale(language: str) -> None:
    """If this fails: `make words`, then translate what has no translation in sim/words."""
    book, wanted = read(language), messages()
    assert len(book) == len(wanted)
    assert {(entry.msgid, entry.msgid_plural) for entry in book} == set(wanted)
    assert [entry.msgid for entry in book if not all(said(entry))] == []
    assert [entry.msgid for entry in book if entry.fuzzy or entry.obsolete] == []
    wrong = [e.msgid for e in book if any(placeholders(each) != placeholders(e.msgid) for each in said(e))]
    assert wrong == []


def test_what_is_told_in_chinese_is_chinese() -> None:
    words = [(text, told_) for text, told_ in chinese() if re.search("[a-z]{4}", re.sub("{.*?}", "", text))]
    assert len(words) > 900
    assert [text for text, told_ in words if not re.search(HAN, told_)] == []


@pytest.mark.parametrize(
    "wrong",
    [f"{HAN}[,.;:!?()]", f"[,;:!?()]{HAN}", "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]", f" [{STOPS}]|[{STOPS}] "],
    ids=["half-width after", "half-width before", "full-width letters and digits", "space at a full-width stop"],
)
def test_chinese_is_set_as_chinese(wrong: str) -> None:
    assert [told_ for _text, told_ in chinese() if re.search(wrong, told_)] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_a_term_is_told_by_the_word_of_the_glossary(row: list[str]) -> None:
    """Where a term stands alone, as a unit, a name or a title; one of two words or more wherever it stands."""
    words = row[0].split(" / ")
    for term in row[1].split(", "):
        alone = re.compile(rf"(\w+\.)?{term.replace(' ', '[_ ]')}s?", re.IGNORECASE)
        inside = re.compile(rf"\b{term}s?\b" if re.search("[ -]", term) else "(?!)", re.IGNORECASE)
        found = [told_ for text, told_ in chinese() if alone.fullmatch(text) or inside.search(text)]
        assert [told_ for told_ in found if not any(word in told_ for word in words)] == []


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ("场景", "情景"),
        ("情境", "情景"),
        ("基线", "基准"),
        ("顾客", "客户"),
        ("卖家", "商家"),
        ("店家", "商家"),
        ("台账", "账本"),
    ],
)
def test_a_thing_has_one_word(other: str, word: str) -> None:
    assert any(word in row[0] for row in ROWS)
    assert [told_ for _text, told_ in chinese() if other in told_] == []


@pytest.mark.parametrize("name", sorted({*names()} - {"real_friends"}))  # whose graph takes a second to read
def test_all_that_is_told_of_a_scenario_is_chinese(name: str) -> None:
    scenario = load(name)
    texts = {text for found in parameters(scenario).values() for text in (found.doc, found.unit) if text}
    with speaking("zh"):
        assert [text for text in {scenario.title, *texts} if told(text) == text and re.search("[a-z]", text)] == []


def test_all_that_is_told_of_mechanisms_and_metrics_is_chinese() -> None:
    texts = {text for key, cls in catalog.mechanisms().items() for text in (key, catalog.summary(cls))}
    texts |= {text for metric in METRICS.values() for text in (metric.title, metric.unit, metric.definition)}
    with speaking("zh"):
        assert {text for text in texts if told(text) == text} <= {"GPM", "0..1"}


def test_texts_are_found_in_templates() -> None:
    source = """{{ _("one {a}", a=1) }} {{ several("three", 'many', n) }} {{ other("four") }} {{ name | told }}"""
    assert [*in_template(source)] == [("one {a}", ""), ("three", "many")]


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
    assert taken_apart("30 days, of those whose 30, not 1,30 or 130") == (
        "{n} days, of those whose {n}, not 1,30 or 130",
        {"n": "30"},
    )
    assert told("about 1,200 more seeds") == "about 1,200 more seeds"
    with speaking("zh"):
        assert told("about 1,200 more seeds") == "约需再加 1,200 个种子"
        assert told("Repeat share, 30 days (store)") == "30 天复购率（微信小店）"
        assert told("Repeat share, 30 days") == "30 天复购率"
        for text in ("", "nobody has translated this", "nobody, 2 {braces}", "nobody (store)"):
            assert told(text) == text
        assert _("failed: {strategy}, seed {seed}: {error}", strategy="{x}", seed=1, error="e").count("{x}") == 1
    assert several("{count} run", "{count} runs", 2) == "2 runs"


def test_what_others_put_together_is_told_by_templates() -> None:
    templates = ("{what} failed: {error}", "unknown", "{what} of {whole}")
    with speaking("zh"):
        assert told_by("this failed: unknown", templates) == "this failed: 未知"
        assert told_by("nothing of the sort", ()) == "nothing of the sort"
    assert told_by("a of b failed: c", templates) == "a of b failed: c"


def test_programs_are_told_in_english() -> None:
    class Verdict:
        def __str__(self) -> str:
            return _("unknown")

    with speaking("zh"):
        assert (str(Verdict()), in_english(Verdict())) == ("未知", "unknown")


def test_a_table_in_chinese_is_chinese_and_fits() -> None:
    english = table(comparison())
    with speaking("zh"):
        chinese = table(comparison())
        assert "铁三角" in table(comparison(title="Does the triangle compound?")).splitlines()[0]
    assert table(comparison()) == english
    assert max(map(width, chinese.splitlines())) <= WIDTH
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


@pytest.mark.parametrize("what", ["mechanisms", "metrics", "scenarios"])
def test_a_list_in_chinese_has_its_names_in_english_and_nothing_else(what: str) -> None:
    result = CliRunner().invoke(app, ["--lang", "zh", what])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(map(width, lines)) <= WIDTH
    meanings = "".join(line[30:] for line in lines if not line.startswith(("CHANNEL", "KIND", " " * 30)))
    assert len(re.findall(HAN, meanings)) > 100
    assert set(re.findall("[A-Za-z]+", meanings)) <= {"GMV", "GPM"}


def test_a_language_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(app, ["--lang", "xx", "scenarios"])
    assert result.exit_code == 2
    assert "en, zh" in result.stderr


def test_english_reads_no_catalogue() -> None:
    script = "import sys, sim.words as w; w._('better'); print('polib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ------------------------------------------------------------------------------------------------ nothing unwrapped

PROGRAMMERS = {
    "ContractError",
    "ConservationError",
    "AttributeError",
    "NameError",
    "AssertionError",
}  # for those who write code
SPEAKERS = {"echo", "fail", "warn", "say", "step", "progress", "interrupted", "fault", "Fault", "_note"}
OURS = {"wxsim", "array", "events"}  # names that are the same in every language


def unwrapped(tree: ast.AST, speakers: set[str]) -> Iterator[str]:
    """Texts of errors, and in calls that speak to users, which no call of `_` or `several` tells."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            texts = [] if name_of(node.exc) in PROGRAMMERS else node.exc.args
        else:
            texts = node.args if isinstance(node, ast.Call) and name_of(node) in speakers else []
        for text in texts:
            said = " ".join(each.value for each in written(text))
            if set(re.findall("[a-z]{3,}", said)) - OURS:
                yield said


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def written(node: ast.AST) -> Iterator[ast.Constant]:
    """What stands there as text: alone, in an f-string, or in a choice of them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.JoinedStr | ast.BinOp | ast.IfExp):
        for child in ast.iter_child_nodes(node):
            yield from written(child)


@pytest.mark.parametrize("part", sorted({path.relative_to(SIM).parts[0] for path in SIM.rglob("*.py")}))
def test_all_that_is_told_is_translatable(part: str) -> None:
    speakers = SPEAKERS if part in ("cli", "config", "study") else set()
    files = (SIM / part).rglob("*.py") if (SIM / part).is_dir() else [SIM / part]
    found = {path.name: [*unwrapped(ast.parse(path.read_text("utf-8")), speakers)] for path in files}
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_what_is_not_wrapped_is_found() -> None:
    code = (
        'raise StudyError(f"no {x}"); echo(_("a text")); fail(f"wxsim: {x}"); echo("a text" if x else y); raise Odd(x)'
    )
    assert [*unwrapped(ast.parse(code), SPEAKERS)] == ["a text"]
    assert [*unwrapped(ast.parse('raise StudyError(f"no such {x}")'), set())] == ["no such "]
