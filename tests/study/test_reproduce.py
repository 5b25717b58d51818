import json
from pathlib import Path

from sim.config.load import load
from sim.run import run
from sim.study.reproduce import reproduce
from sim.study.shrink import resized


def test_a_run_is_reproduced_and_a_changed_manifest_is_not(tmp_path: Path) -> None:
    scenario = resized(load("triangle").strategy("all three"), users=60, days=2)
    run(scenario, (3,), (tmp_path / "run",), strategy="all three")
    again = reproduce(tmp_path / "run")
    assert again.same and again.first_day is None

    manifest = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    manifest["seed"] = 4
    (tmp_path / "run" / "run.json").write_text(json.dumps(manifest), encoding="utf-8")
    other = reproduce(tmp_path / "run")
    assert not other.same
    assert other.first_day == 0
