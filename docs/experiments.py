"""Write the answers of experiments/: every study there is run, and its README's part "Answer" made of what came out.

    python -m docs.experiments [NAME ...] [--workers N] [--store DIR]

Without names all are written. Runs are kept in the store of `wxsim sweep`, so that this goes on where it stopped. An
answer names the study and the model that it was made of (`stamp`), so that a test tells when it is stale.
"""

import argparse
import re
from hashlib import blake2b
from pathlib import Path

from sim.study import answer, chart, findings
from sim.study.design import read
from sim.study.results import results
from sim.study.sensitivity import prepared, sensitivity
from sim.study.store import Store
from sim.study.sweep import sweep
from tests.fingerprints.move import CHANGELOG, reason

FOLDER = Path(__file__).parents[1] / "experiments"
HEADING = "## Answer"


def studies() -> list[str]:
    """The names of all experiments."""
    return sorted(path.parent.name for path in FOLDER.glob("*/study.yaml"))


def is_screening(folder: Path) -> bool:
    """Whether a study asks which parameters matter, and not for all its points."""
    return bool(re.search(r"^sensitivity:", (folder / "study.yaml").read_text("utf-8"), re.M))


def stamp(folder: Path) -> str:
    """A word for a study with its scenario, and for the last change of results."""
    study = prepared(folder / "study.yaml")[0] if is_screening(folder) else read(folder / "study.yaml")
    scenarios = {name: made.digest for name, made in study.strategies.items()}
    parts = [scenarios, study.points, study.seeds, study.metrics, study.merchant, study.baseline]
    text = repr([*parts, reason(CHANGELOG.read_text("utf-8"))])
    return blake2b(text.encode(), digest_size=8).hexdigest()


def answered(readme: str, found: str, word: str) -> str:
    """A README with another answer; whatever else it says stays."""
    part = f"{HEADING}\n\n```\n{found.rstrip()}\n```\n\n![{HEADING[3:].lower()}](answer.png)\n\nStamp {word}.\n"
    before, heading, after = readme.partition(f"{HEADING}\n")
    if not heading:
        return f"{readme.rstrip()}\n\n{part}"
    _, following, rest = after.partition("\n## ")
    return f"{before}{part}{following}{rest}"


def write(folder: Path, store: Store, out: Path, workers: int | None) -> None:
    """Run what is missing of a study, and write its answer and figure."""
    if is_screening(folder):
        study, sampled = prepared(folder / "study.yaml")
        result, judged = sensitivity(study, sampled, out, store, workers=workers)
        told = findings.text(study, judged)
        findings.draw(study, judged, folder / "answer.png")
    else:
        result = sweep(read(folder / "study.yaml"), out, store, workers=workers)
        found = results(out)
        told = answer.text(found)
        chart.draw(found, folder / "answer.png")
    if result.failed:
        raise SystemExit(f"{folder.name}: {next(iter(result.failed.values()))[0]}")
    readme = folder / "README.md"
    readme.write_text(answered(readme.read_text("utf-8"), told, stamp(folder)), "utf-8")


def main() -> None:
    """Write the answers asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="experiments; by default all")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--store", type=Path, default=Path("runs") / "store")
    asked = parser.parse_args()
    for name in asked.names or studies():
        print(name, flush=True)
        write(FOLDER / name, Store(asked.store), Path("runs") / f"{name}-answer", asked.workers)


if __name__ == "__main__":
    main()
