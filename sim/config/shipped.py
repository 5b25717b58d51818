"""The scenarios and data that come with wxsim: in a checkout beside the package, in a wheel inside it."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def root() -> Path:
    """The folder that holds `scenarios` and `data`."""
    packed = PACKAGE / "_shipped"
    return packed if packed.is_dir() else PACKAGE.parent


def names() -> tuple[str, ...]:
    """Names of the shipped scenarios, sorted."""
    return tuple(sorted(file.stem for file in (root() / "scenarios").glob("*.yaml")))


def find(name: str) -> Path | None:
    """The file of a shipped scenario by its bare name; None if there is no such scenario."""
    return root() / "scenarios" / f"{name}.yaml" if name in names() else None
