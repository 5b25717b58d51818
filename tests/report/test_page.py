import base64
import importlib
import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest

from sim.config.load import load
from sim.errors import StudyError
from sim.report import page
from sim.report.material import read
from sim.report.page import Report, clean, html, needed, policy, report
from sim.run import run
from sim.study.table import number
from sim.words import speaking
from tests.report.markup import Page
from tests.report.town import BASE, CHEAPER, DEAR, METRICS, TITLE, compared
from tests.study.tiny import write


@pytest.fixture(scope="module")
def text(made: Report) -> str:
    return html(made)


@pytest.fixture(scope="module")
def parsed(text: str) -> Page:
    return Page(text)


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


# ---------------------------------------------------------------------------------------------------- its safety


def test_policy_allows_what_is_inside_by_hash_and_nothing_else() -> None:
    made = policy(("alert(1)", "let x"), ("p {}",))
    rules = dict(rule.split(" ", 1) for rule in made.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].split() == [hashed("alert(1)"), hashed("let x")]
    assert rules["style-src"] == hashed("p {}")
    assert "unsafe" not in made


@pytest.mark.slow
def test_every_script_and_style_has_its_hash_in_the_policy(parsed: Page) -> None:
    rules = dict(rule.split(" ", 1) for rule in parsed.meta["Content-Security-Policy"].split("; "))
    running = [text for kind, text in parsed.scripts if kind is None]
    assert len(running) == 4  # plotly once, and ours
    assert sorted(rules["script-src"].split()) == sorted(hashed(text) for text in running)
    assert rules["style-src"].split() == [hashed(text) for text in parsed.styles]
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in parsed.meta["Content-Security-Policy"]
    assert parsed.handlers == []


@pytest.mark.slow
def test_nothing_is_fetched(parsed: Page) -> None:
    assert parsed.links
    assert all(link.startswith("#") for link in parsed.links)
    assert {link[1:] for link in parsed.links} <= set(parsed.ids)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert not re.search(r"https?://|@import|url\(", "".join(parsed.styles))


@pytest.mark.slow
def test_words_of_a_scenario_stay_words(parsed: Page, text: str) -> None:
    assert TITLE in parsed.text
    assert f"{CHEAPER} does" in parsed.text or f"{CHEAPER} may do" in parsed.text
    assert "Cheaper tea & <i>more</i> of it." in parsed.text
    assert "alert(1)</script>" not in text
    assert [kind for kind, _ in parsed.scripts] == ["application/json", None, None, None, None]
    data = json.loads(parsed.scripts[0][1])
    assert data["en"]["strategies"] == [BASE, CHEAPER, DEAR]


def test_a_text_that_would_end_its_element_is_refused() -> None:
    assert clean("a\r\nb\r") == "a\nb\n"
    with pytest.raises(StudyError):
        clean("x = '</SCRIPT>'")


# --------------------------------------------------------------------------------------------------- its content


# --------------------------------------------------------------------------------------------------- its languages


@pytest.fixture(scope="module")
def chinese(made: Report) -> Page:
    with speaking("zh"):
        return Page(html(made))


@pytest.mark.slow
def test_a_page_holds_both_languages_and_opens_in_the_one_it_was_made_in(parsed: Page, chinese: Page) -> None:
    assert [*parsed.others] == ["zh"] and [*chinese.others] == ["en"]
    assert "What was found" in parsed.text and "结论" in chinese.text
    for page_, other in ((parsed, chinese.others["en"]), (chinese, parsed.others["zh"])):
        assert page_.text.removeprefix(TITLE).strip() == other.text
        assert (page_.rows, page_.codes) == (other.rows, other.codes)
        assert [name for name in page_.ids if name in other.ids] == other.ids


@pytest.mark.slow
def test_numbers_are_the_same_in_both_and_figures_hold_them_once(parsed: Page, chinese: Page) -> None:
    for one, other in zip(parsed.rows, chinese.rows, strict=True):
        same = [at for at, cell in enumerate(one) if not re.search("[A-Za-z]", cell)]
        assert [one[at] for at in same] == [other[at] for at in same]
    data = json.loads(parsed.scripts[0][1])
    assert {name for figure in data["zh"]["figures"].values() for name in figure} <= {
        *("title", "places_are", "values_are", "places"),
    }
    assert data["zh"]["figures"]["gmv-by-day"]["title"] == "每日 GMV"


@pytest.mark.slow
def test_nothing_of_ours_is_left_in_english(made: Report, chinese: Page) -> None:
    said, cited = chinese.text, made.told["checks"]["cited"]
    theirs = (TITLE, BASE, CHEAPER, DEAR, "Cheaper tea & <i>more</i> of it.")
    for author in sorted((*theirs, *cited, *map(_spaced, chinese.codes)), key=len, reverse=True):
        said = said.replace(author, "·")
    assert re.findall(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}", said) == []


def _spaced(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow
def test_the_strategy_of_a_run_without_one_is_told_too(tmp_path: Path) -> None:
    write(tmp_path)
    run(load(tmp_path / "tiny.yaml"), (3,), [tmp_path / "run"])
    with speaking("zh"):
        made = report(read(tmp_path / "run"))
        page_ = Page(html(made))
    assert "“维持现状”的一次运行，种子 3" in page_.text
    assert "as it is" not in page_.text and "as it is" in page_.others["en"].text
    assert made.material.comparison.strategies == ("as it is",)


# --------------------------------------------------------------------------------------------------- its numbers


@pytest.mark.slow
def test_the_numbers_are_those_of_the_comparison(parsed: Page, found: Path) -> None:
    said = json.loads((found / "comparison.json").read_text("utf-8"))
    rows = [[" ".join(cell.split()) for cell in row] for row in parsed.rows]
    for metric in METRICS:
        for strategy in (BASE, CHEAPER, DEAR):
            own = said["strategies"][strategy][metric]
            mean = "–" if own["mean"] is None else number(own["mean"])
            if strategy == BASE:
                assert [BASE, mean, "", "", "baseline"] in rows
                continue
            other = said["differences"][strategy][metric]
            difference = "–" if other["mean"] is None else number(other["mean"], True)
            interval = " .. ".join(number(end, True) for end in other["ci95"]) if other["ci95"] else ""
            assert [strategy, mean, difference, interval, other["verdict"]] in rows


@pytest.mark.slow
def test_every_sentence_of_a_strategy_has_its_interval(parsed: Page, found: Path) -> None:
    said = json.loads((found / "comparison.json").read_text("utf-8"))["differences"]
    for strategy in (CHEAPER, DEAR):
        low, high = (number(end, True) for end in said[strategy]["net_gmv"]["ci95"])
        assert f"95 % interval {low} to {high}, over 2 worlds." in parsed.text
        assert number(said[strategy]["net_gmv"]["mean"], True) in parsed.text


@pytest.mark.slow
def test_claims_of_the_expectation_are_told_with_their_verdicts(parsed: Page, found: Path) -> None:
    said = json.loads((found / "comparison.json").read_text("utf-8"))["expected"]
    assert [claim["verdict"] for claim in said] == ["did not hold", "held"]
    for claim in said:
        assert f"{claim['claim']}: {claim['verdict']} ({number(claim['mean'])}, 95 % interval" in parsed.text


@pytest.mark.slow
def test_a_number_of_a_claim_leads_to_the_rows_that_it_is_made_of(parsed: Page, text: str) -> None:
    asked = re.sub("<template.*?</template>", "", text, flags=re.DOTALL)
    linked = re.findall(r'href="#(n-[^"]+)"', asked[asked.index('class="claims"') : asked.index('id="found"')])
    assert linked == ["n-orders-2", "n-orders-0", "n-gmv-2"]
    assert all(f'id="{name}"' in asked for name in linked)


@pytest.mark.slow
def test_what_is_printed_to_ask_again_runs_as_it_stands(
    text: str, found: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of it in an interpreter of its own: nothing that one imports helps another."""
    printed = [unescape(code) for code in re.findall(r"<pre><code>(.*?)</code></pre>", text, re.DOTALL)]
    kinds = {code.splitlines()[1].partition("(")[0]: code for code in printed}
    assert {*kinds} == {"sim.Ledger", "from sim.metrics.catalog import table", "from sim.study.facts import measured"}
    for code in kinds.values():
        done = subprocess.run([sys.executable, "-c", code], cwd=found, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    monkeypatch.chdir(found)
    for code in dict.fromkeys(printed):
        exec(code, {})


@pytest.mark.slow
def test_made_again_elsewhere_it_is_the_same_byte_for_byte(text: str, found: Path, tmp_path: Path) -> None:
    shutil.copytree(found, tmp_path / "a copy")
    assert html(report(read(tmp_path / "a copy"))) == text


@pytest.mark.slow
def test_a_run_has_the_same_page_without_differences(found: Path) -> None:
    made = report(read(found / "runs" / "as-it-is" / "seed-0"))
    parsed = Page(html(made))
    assert "One run shows no spread" in parsed.text
    assert "against" not in " ".join(parsed.codes)
    assert made.material.single
    value = number(float(made.material.comparison.per_seed(BASE, "net_gmv")[0]))
    assert f"{BASE} : Net GMV {value} yuan" in parsed.text


@pytest.mark.slow
def test_one_seed_says_nothing_of_luck(tmp_path: Path) -> None:
    folder = compared(tmp_path, "replications: 2", "replications: 1").folder
    parsed = Page(html(report(read(folder))))
    assert "One seed says nothing of luck" in parsed.text
    assert "cannot tell : one seed shows no spread" in parsed.text


@pytest.mark.slow
def test_a_comparison_with_failures_and_missing_runs_is_told(found: Path, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    shutil.copytree(found, folder)
    path = folder / "comparison.json"
    said = json.loads(path.read_text("utf-8"))
    failure = {"strategy": BASE, "replication": 1, "seed": said["seeds"][1], "error": "ContractError: <broke>"}
    said |= {"failures": [failure], "complete": False}
    said["digests"][BASE][1] = None
    for metric in said["metrics"]:
        said["strategies"][BASE][metric]["per_seed"][1] = None
    path.write_text(json.dumps(said), "utf-8")
    shutil.rmtree(folder / "runs" / "as-it-is" / "seed-1")
    parsed = Page(html(report(read(folder))))
    assert "5 of 6 runs are finished" in parsed.text
    assert "ContractError: <broke>" in parsed.text
    assert "over 1 world." in parsed.text


@pytest.mark.slow
def test_a_run_stopped_early_says_so(found: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(found / "runs" / "as-it-is" / "seed-0", folder)
    manifest = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**manifest, "stopped": 3}), "utf-8")
    made = report(read(folder))
    assert "was stopped after day 3 of 5" in Page(html(made)).text
    assert [len(figure.places) for figure in made.figures if figure.name == "gmv-by-day"] == [3]


@pytest.mark.slow
def test_a_comparison_without_any_finished_run_is_a_page_too(found: Path, tmp_path: Path) -> None:
    said = json.loads((found / "comparison.json").read_text("utf-8"))
    said["digests"] = {strategy: [None, None] for strategy in said["digests"]}
    for strategy in said["strategies"].values():
        for metric in strategy.values():
            metric["per_seed"] = [None, None]
    (tmp_path / "comparison.json").write_text(json.dumps({**said, "complete": False}), "utf-8")
    assert "nothing to tell" in Page(html(report(read(tmp_path)))).text


@pytest.mark.slow
def test_people_whose_world_cannot_be_made_again_are_told_together(found: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(found / "runs" / "as-it-is" / "seed-0", folder)
    manifest = json.loads((folder / "run.json").read_text("utf-8"))
    manifest["scenario"]["world"]["graph"]["file"] = str(tmp_path / "moved.txt")
    (folder / "run.json").write_text(json.dumps(manifest), "utf-8")
    made = report(read(folder))
    assert "their world cannot be made again" in Page(html(made)).text
    assert not any(figure.name.startswith("users") for figure in made.figures)


def test_what_is_not_installed_is_named_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(page.importlib, "import_module", missing)
    with pytest.raises(StudyError, match=r"needs the package plotly; pip install 'wxsim\[report\]'"):
        needed("plotly.offline")
    monkeypatch.undo()
    assert needed("jinja2") is importlib.import_module("jinja2")
