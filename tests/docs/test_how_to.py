"""The code on the pages runs, from top to bottom."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


PAGES_AND_WORDS = {"diffusion": "±", "other-tools": "on fresh seeds"}


@pytest.mark.slow
@pytest.mark.parametrize("page", ["diffusion", pytest.param("other-tools", marks=pytest.mark.filterwarnings("ignore"))])
def test_code_of_a_page_runs(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (PAGES / f"{page}.md").read_text("utf-8")
    code = re.findall(r"^```python\n(.*?)^```", text, flags=re.M | re.S)
    assert len(code) > 3
    exec(compile("\n".join(code), f"{page}.md", "exec"), {})
    assert PAGES_AND_WORDS[page] in capsys.readouterr().out
