"""Compiled twins of the hottest functions, for those who have numba (the extra ``fast``); nobody needs it.

`sim.fast.draws` holds what `sim.draws` uses if `present`, `sim.fast.elementary` what `sim.elementary` uses, and so on;
a twin stands in the layer of what it is the twin of. It does the same arithmetic in the same order, so its results
are equal to the last bit: fast-math is never allowed, and LLVM fuses no multiply-add unless told to.

    if fast.on(rows):
        from sim.fast import draws as twin      # imports numba: never when a module is loaded

Starting numba takes as long as two seconds of work without it, so it is started by the first call with many rows, or
when the small ones so far would have paid for it; from then on the twins serve small calls too. ``WXSIM_FAST=0`` in
the environment turns it all off.
"""

import dis
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sim.words import _

if TYPE_CHECKING:
    present: bool  # numba can be used, and WXSIM_FAST does not forbid it; found out when first asked for

WORTH = 100_000  # rows in one call that make it worth starting numba
ENOUGH = 15_000_000  # rows in all calls so far that do: without it they took about as long as starting it does
PER_CALL = 500  # rows that the fixed price of a call without it is worth
_awake = False
_asked = 0  # rows asked for so far, while it is not started

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = {"nogil": True, "error_model": "numpy"}  # x / 0 is inf, as in numpy, and needs no branch


def __getattr__(name: str) -> Any:
    if name != "present":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = _usable()
    return found


def on(rows: int = 0) -> bool:
    """Whether compiled twins are to be used, for a call with so many rows."""
    global _awake, _asked
    if not _awake:
        _asked += rows + PER_CALL
        _awake = rows >= WORTH or _asked >= ENOUGH
    return _awake and getattr(sys.modules[__name__], "present")  # noqa: B009 (found out when first asked for)


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays when it is first called; later processes load what was compiled.

    Compiled functions that it calls, and constants, must be defined above it: what they are is part of the place
    where the machine code is kept, so an edit to any of them compiles anew (numba by itself looks at one file).
    """
    numba = import_module("numba")
    stamp = _stamp(function)
    base = next((base for base in _places(numba.config.CACHE_DIR) if _can_write(base)), None)
    given, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(base and base / stamp)
    try:
        out = numba.njit(function, cache=base is not None, **_OPTIONS)
    finally:
        numba.config.CACHE_DIR = given
    out.stamp = stamp
    result: F = out
    return result


def _usable() -> bool:
    """Whether numba is there and may be used; one that is there and broken is told of."""
    if os.environ.get("WXSIM_FAST", "1") == "0":
        return False
    try:
        import_module("numba")
    except ModuleNotFoundError:
        return False
    except ImportError as error:  # such as a numba that is too old for this numpy
        said = _("numba is installed and cannot be used, so this runs without: {error}", error=error)
        warnings.warn(said, stacklevel=3)
        return False
    return True


def _stamp(function: Callable[..., Any]) -> str:
    """A digest of all that the machine code depends on: byte code, constants, and functions called, to any depth."""
    code = function.__code__
    parts = [code.co_code, repr((code.co_consts, code.co_names, code.co_varnames))]
    parts.extend(f"{name} {_content(function.__globals__[name])}" for name in _globals_of(function))
    return blake2b(repr(parts).encode(), digest_size=10).hexdigest()


def _globals_of(function: Callable[..., Any]) -> Iterator[str]:
    """Names of the module that a function reads; NameError if one is not defined yet."""
    builtins = vars(import_module("builtins"))
    names = {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}
    for name in sorted(names - builtins.keys()):
        if name not in function.__globals__:
            raise NameError(f"{name!r} must be defined above {function.__name__!r}, which is compiled with it")
        yield name


def _content(value: Any) -> str:
    """What a global is, as a word that changes when it changes."""
    if hasattr(value, "stamp"):
        return str(value.stamp)
    return str(value.tolist()) if hasattr(value, "tolist") else getattr(value, "__name__", repr(value))


def _places(given: str) -> Iterator[Path]:
    """Where machine code may be kept: where NUMBA_CACHE_DIR says; beside this file; with the user's caches."""
    if given:
        yield Path(given)
        return
    yield Path(__file__).parent / "__pycache__"
    yield Path(import_module("numba.misc.appdirs").user_cache_dir("wxsim", appauthor=False))


@cache
def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
