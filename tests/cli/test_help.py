"""Help and errors of usage in the user's language; in English they are typer's own."""

import re

import pytest
import typer
from typer.testing import CliRunner

from sim.cli import app
from sim.cli.help import paragraphs
from sim.words.columns import width

SYSTEM = {"LANGUAGE": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "C", "COLUMNS": "80"}
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def shown(*words: str, **environment: str) -> str:
    return CliRunner().invoke(app, words, env={**SYSTEM, **environment}).output


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_told_in_chinese_and_fits(command: str) -> None:
    english, chinese = (shown("--lang", language, *command.split(), "--help") for language in ("en", "zh"))
    assert english.startswith("Usage: ")
    assert chinese.startswith("用法：")
    assert max(map(width, chinese.splitlines())) <= 80
    options = [set(re.findall(r"^  (--[\w-]+)", text, re.M)) for text in (english, chinese)]
    assert options[0] == options[1] and "--help" in options[0]
    assert not re.search(r"[A-Za-z]+ [a-z]+ [a-z]+", re.sub("`[^`]*`", "", chinese))


def test_the_system_says_which_language_or_the_option_before_the_command() -> None:
    chinese = shown("--lang", "zh", "run", "--help")
    assert shown("--lang=zh", "run", "--help") == chinese
    assert shown("run", "--help", LANG="zh_CN.UTF-8") == chinese
    assert shown("--lang", "en", "run", "--help", LANG="zh_CN.UTF-8") == shown("run", "--help") != chinese


def test_a_default_and_a_range_are_told() -> None:
    said = shown("--lang", "zh", "new", "--help")
    assert "[默认：5000；x>=1]" in said
    assert "[必填]" in shown("--lang", "zh", "run", "--help")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("rum", "没有命令 'rum'。是否想用 'run'？"),
        ("nothing-like-it", "没有命令 'nothing-like-it'。"),
        ("--nothing", "没有选项 --nothing"),
        ("run", "缺少参数 'SCENARIO'。"),
        ("run a --repord", "没有选项 --repord（可用：--record, --report）"),
        ("run a b", "多余的参数（b）"),
        ("run a --seed", "选项 '--seed' 需要一个值。"),
        ("run a --seed x", "'--seed' 的取值无效：应为整数"),
        ("run a --seed -1", "'--seed' 的取值无效：应不小于 0"),
        ("run a --record all-of-it", "'--record' 的取值无效：'all-of-it' 不在可选值 'orders', 'all' 之中"),
    ],
)
def test_errors_of_usage_are_told_in_chinese(typed: str, said: str) -> None:
    result = CliRunner().invoke(app, ["--lang", "zh", *typed.split()])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == said


def test_without_a_command_there_is_help() -> None:
    assert shown(LANG="zh_CN.UTF-8") == shown("--help", LANG="zh_CN.UTF-8")


def test_a_text_has_paragraphs() -> None:
    assert paragraphs("One\nline.\n\n  Another.\n") == ["One line.", "Another."]
    assert paragraphs(None) == []
