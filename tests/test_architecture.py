"""The shape of the code, read from its syntax trees: layers, what may be imported where, what no module does."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIM = ROOT / "sim"
MODULES = sorted(SIM.rglob("*.py"))
LEAVES = ("people", "channels", "offers", "operations", "platform")
MECHANISMS = sorted(path for folder in LEAVES for path in (SIM / folder).glob("*.py") if path.stem != "__init__")

# From the foundation up. A module imports only from lines above its own (and from its own folder, unless a leaf).
LAYERS: tuple[tuple[str, ...], ...] = (
    ("words",),
    ("errors",),
    ("units",),
    ("fast",),
    ("elementary",),
    ("params",),
    ("draws",),
    ("kernels",),
    ("diffusion",),
    ("ledger",),
    ("world",),
    ("contract",),
    LEAVES,
    ("catalog",),
    ("config",),
    ("engine",),
    ("run",),
    ("metrics",),
    ("study",),
    ("report",),
    ("web",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
DECIDES = {*LEAVES, "engine", "kernels", "diffusion", "draws", "elementary"}  # where a last bit could turn a decision
LAZY = ("matplotlib", "jinja2", "plotly", "scipy.stats", "pandas", "numba")
INEXACT = frozenset(
    ("log", "log2", "log10", "log1p", "logaddexp", "exp", "exp2", "expm1", "power", "float_power", "pow")
    + ("cbrt", "sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh")
)
WALL_CLOCK = frozenset({"time.time", "time.time_ns", "datetime.now", "datetime.today", "date.today", "datetime.utcnow"})


def name_of(path: Path) -> str:
    """Dotted module name under the repository root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> str:
    """The folder or file directly under `sim` that a module belongs to, "" for `sim` itself.

    A compiled twin, `sim.fast.draws`, belongs to what it is the twin of.
    """
    parts = module.split(".")
    if parts[1:2] == ["fast"] and len(parts) > 2 and (SIM / "fast" / f"{parts[2]}.py").is_file():
        return parts[2]
    return parts[1] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in the tree; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level) + f"{node.module or ''}.{alias.name}" for alias in node.names)


def imports_on_load(tree: ast.Module) -> Iterator[str]:
    """What importing the module imports: not what stands inside functions, nor under `if TYPE_CHECKING`."""
    for node in tree.body:
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        if isinstance(node, ast.Import | ast.ImportFrom | ast.If | ast.Try) and not typing_only:
            yield from imports(node)


def is_package(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


# ------------------------------------------------------------------ each rule: module name, tree -> what breaks it


def layer_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Imports point down, leaves never import each other, and nobody imports the root or relatively."""
    own = layer_of(module)
    for target in imports(tree):
        if target.startswith("."):
            yield f"relative import {target}"
        if not is_package(target, "sim") or not own or target == "sim.__version__":
            continue
        other = layer_of(target)
        if other not in RANK:
            yield f"{target} is not a module of a layer"
        elif own in LEAVES and other in LEAVES:
            yield f"a leaf imports a leaf: {target}"
        elif other != own and RANK[other] >= RANK[own]:
            yield f"{target} is not below {module}"


def heavy_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Simpy is the clock's alone; what is slow to import is imported where it is used."""
    yield from (
        f"imports {target}" for target in imports(tree) if is_package(target, "simpy") and module != "sim.engine.clock"
    )
    yield from (f"imports {target} on load" for target in imports_on_load(tree) if is_package(target, *LAZY))


def work_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Importing a module defines names and does nothing else."""
    harmless = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in tree.body:
        if isinstance(node, harmless) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and dotted(node.value.func).endswith(".setflags")
        ):
            continue  # a constant array that nobody may write
        if isinstance(node, ast.If) and ("TYPE_CHECKING" in ast.dump(node.test) or "__name__" in ast.dump(node.test)):
            continue
        if isinstance(node, ast.Try) and all(isinstance(inner, ast.Import | ast.ImportFrom) for inner in node.body):
            continue
        yield f"line {node.lineno}: {type(node).__name__} at module level"


def habit_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """No print below the command line, no bare except, no wall clock, no hash(), no generator state."""
    for node in ast.walk(tree):
        called = dotted(node.func) if isinstance(node, ast.Call) else ""
        if called == "print" and not module.startswith("sim.cli"):
            yield f"line {node.lineno}: print"
        if called == "hash":
            yield f"line {node.lineno}: hash() differs from process to process"
        if any(called == clock or called.endswith("." + clock) for clock in WALL_CLOCK):
            yield f"line {node.lineno}: reads the wall clock"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: bare except"
        if isinstance(node, ast.Attribute) and dotted(node) in {"np.random", "numpy.random"}:
            yield f"line {node.lineno}: {dotted(node)}; draws come from sim.draws"
    yield from (
        f"imports {target}; draws come from sim.draws"
        for target in imports(tree)
        if is_package(target, "random", "numpy.random", "secrets")
    )


def exactness_faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Where decisions are made, only operations that every processor rounds alike (law 3)."""
    if layer_of(module) not in DECIDES:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node.value) in {"np", "numpy", "math"} and node.attr in INEXACT:
            yield f"line {node.lineno}: {dotted(node)}; use sim.elementary or a table"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not exact_power(node):
            yield f"line {node.lineno}: a power that may be rounded differently elsewhere"
    yield from (
        f"imports {target}; use sim.elementary"
        for target in imports(tree)
        if target.split(".")[0] in {"math", "numpy"} and target.split(".")[-1] in INEXACT
    )


def exact_power(node: ast.BinOp) -> bool:
    """A square, or a number known when the module is loaded."""
    known = (ast.Constant, ast.UnaryOp)
    return (isinstance(node.right, ast.Constant) and node.right.value == 2) or all(
        isinstance(part, known) or (isinstance(part, ast.Name) and part.id.isupper())
        for part in (node.left, node.right)
    )


Rule = Callable[[str, ast.Module], Iterator[str]]
RULES: tuple[Rule, ...] = (
    layer_faults,
    heavy_faults,
    work_faults,
    habit_faults,
    exactness_faults,
)


# ---------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_keeps_every_rule(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(name_of(path), tree)] == []


@pytest.mark.parametrize(
    ("rule", "module", "source"),
    [
        (layer_faults, "sim.world.build", "from sim.contract import View"),
        (layer_faults, "sim.people.buy", "from sim.people.gift import Gift"),
        (layer_faults, "sim.people.buy", "def f():\n    import sim.offers.coupon"),
        (layer_faults, "sim.config.model", "from sim.engine.crew import Crew"),
        (layer_faults, "sim.units", "from sim import draws"),
        (layer_faults, "sim.units", "from .errors import WxsimError"),
        (layer_faults, "sim.study.compare", "from sim import load"),
        (heavy_faults, "sim.engine.tick", "def f():\n    import simpy"),
        (heavy_faults, "sim.study.stats", "from scipy import stats"),
        (heavy_faults, "sim.study.figure", "import matplotlib.pyplot as plt"),
        (heavy_faults, "sim.kernels.queue", "try:\n    import numba\nexcept ImportError:\n    numba = None"),
        (work_faults, "sim.units", "for x in range(3):\n    pass"),
        (work_faults, "sim.units", "register(1)"),
        (habit_faults, "sim.study.compare", "def f():\n    print(1)"),
        (habit_faults, "sim.study.compare", "try:\n    f()\nexcept:\n    g()"),
        (habit_faults, "sim.run", "import datetime\ndef f():\n    return datetime.datetime.now()"),
        (habit_faults, "sim.run", "def f(x):\n    return hash(x)"),
        (habit_faults, "sim.world.build", "import numpy as np\ndef f():\n    return np.random.default_rng(1)"),
        (habit_faults, "sim.world.build", "from random import Random"),
        (exactness_faults, "sim.people.buy", "import numpy as np\ndef f(x):\n    return np.exp(x)"),
        (exactness_faults, "sim.people.buy", "from math import log"),
        (exactness_faults, "sim.engine.tick", "def f(x):\n    return 0.5 ** x"),
    ],
)
def test_rule_catches_what_it_is_for(
    rule: Callable[[str, ast.Module], Iterator[str]], module: str, source: str
) -> None:
    assert list(rule(module, ast.parse(source)))


def test_every_module_stands_in_a_layer() -> None:
    assert {layer_of(name_of(path)) for path in MODULES} - {""} <= set(RANK)


@pytest.mark.parametrize("path", MECHANISMS, ids=name_of)
def test_mechanism_has_a_test_file_and_a_page(path: Path) -> None:
    folder, name = path.parent.name, path.stem
    assert (ROOT / "tests" / folder / f"test_{name}.py").is_file()
    assert (ROOT / "docs" / "model" / folder / f"{name}.md").is_file()


def test_help_imports_nothing_slow() -> None:
    heavy = ["scipy", "networkx", "pyarrow", "duckdb", "matplotlib", "nicegui", "numba", "numpy", "pydantic", "simpy"]
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "import sim.cli\n"
        "result = CliRunner().invoke(sim.cli.app, ['--help'])\n"
        "assert result.exit_code == 0 and 'compare' in result.output, result.output\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_library_is_light() -> None:
    script = "import sys, sim; print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'scipy', 'pydantic'}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
