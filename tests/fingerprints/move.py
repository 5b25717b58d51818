"""`make fingerprints`: move the fingerprints of the shipped scenarios, in the name of an entry of the changelog.

Each file names the last entry that says that results changed, whether it moved that file or not. So an entry moves
fingerprints once: whoever changes results again writes another.
"""

import sys
from pathlib import Path

from sim.config.load import load
from sim.config.shipped import names
from sim.study import fingerprint

HERE = Path(__file__).parent
CHANGELOG = HERE.parents[1] / "CHANGELOG.md"
PEOPLE, DAYS = 1_000, 10
WORDS = "Results changed: yes, because"
_MOVED = "as of: "


def path(name: str) -> Path:
    """Where the fingerprint of a shipped scenario is kept."""
    return HERE / f"{name}.txt"


def now(name: str) -> str:
    """The fingerprint of a shipped scenario as the code stands."""
    return fingerprint.write(fingerprint.fingerprint(load(name), PEOPLE, DAYS))


def kept(name: str) -> tuple[str, str]:
    """The entry that a fingerprint names, and the fingerprint; two empty texts if there is none."""
    if not path(name).exists():
        return "", ""
    head, _, body = path(name).read_text("utf-8").partition("\n\n")
    return head.partition(_MOVED)[2], body


def keep(name: str, entry: str, body: str) -> None:
    """Write a fingerprint down."""
    size = f"{PEOPLE} people (a graph file has its own), {DAYS} days. Moved only by `make fingerprints`."
    path(name).write_text(f"Fingerprint of {name}: {size}\n{_MOVED}{entry}\n\n{body}", "utf-8")


def entries(changelog: str) -> list[list[str]]:
    """The entries of each section of the changelog, each on one line."""
    sections = changelog.split("\n## ")[1:]
    return [[" ".join(entry.split()) for entry in section.split("\n- ")[1:]] for section in sections]


def reason(changelog: str) -> str:
    """The last entry of the newest section that says that results changed; empty if there is none."""
    newest = (entries(changelog) or [[]])[0]
    return next((entry for entry in reversed(newest) if "Results changed: yes" in entry), "")


def _last(changelog: str) -> str:
    """The last entry of all sections that says that results changed."""
    found = (each for section in entries(changelog) for each in reversed(section))
    return next((each for each in found if "Results changed: yes" in each), "")


def refusal(entry: str, carried: list[str]) -> str:
    """Why the fingerprints cannot be moved in the name of this entry; empty if they can."""
    if entry and entry not in carried:
        return ""
    said = f'"{entry[:60]}..." has moved fingerprints already' if entry else "no entry says that results changed"
    return (
        f'fingerprints stay: {said}; add one to the newest section of CHANGELOG.md that ends in "{WORDS} ..."'
        " (or, if that entry is not committed yet, first put tests/fingerprints/*.txt back as committed)"
    )


def main() -> None:
    """Compute all fingerprints and move those that changed, or say why not."""
    changelog = CHANGELOG.read_text("utf-8")
    entry, before = reason(changelog), {name: kept(name) for name in names()}
    after = {name: now(name) for name in names()}
    changed = [name for name in after if before[name][1] != after[name]]
    new = [name for name in changed if not before[name][1]]
    lines = [
        f"{name}: {move}"
        for name in changed
        if name not in new
        for move in fingerprint.moves(fingerprint.read(before[name][1]), fingerprint.read(after[name]))
    ]
    if lines and (why := refusal(entry, [carried for carried, _ in before.values()])):
        sys.exit("\n".join([*lines, why]))
    entry = entry or _last(changelog)
    for name in after:
        if name in changed or before[name][0] != entry:
            keep(name, entry, after[name])
    sys.stdout.write("\n".join([*lines, *(f"{name}: new" for name in new)] or ["no fingerprint moved"]) + "\n")


if __name__ == "__main__":
    main()
