"""What users read, in their language: English stands in the code, others in catalogues (gettext's .po) here,
a folder for each language and in it a file for each part of wxsim.

::

    from sim.words import _, several

    _("failed: {strategy}, seed {seed}", strategy=name, seed=7)
    several("{count} run failed", "{count} runs failed", failed)

What is written for programs stays English (`comparison.json`, verdicts, names of metrics); it is told in another
language only where it is shown. A text without a translation is shown in English.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

ENGLISH = "en"
FOLDER = Path(__file__).parent
_NUMBER = re.compile(r"\d+(?:,\d{3})*")
_INSIDE = re.compile(r" \((\w+)\)$")
_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


def languages() -> tuple[str, ...]:
    """Every language that there is."""
    return (ENGLISH, *sorted(path.name for path in FOLDER.iterdir() if any(path.glob("*.po"))))


def preferred(environment: Mapping[str, str]) -> str:
    """The language that a user's environment asks for, in gettext's order; English where there is none such."""
    stated = next(
        (value for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), ""
    )
    wanted = (re.split(r"[_.@-]", each)[0].lower() for each in stated.split(":"))
    return next((each for each in wanted if each in languages()), ENGLISH)


def spoken() -> str:
    """The language in which things are told here and now."""
    return _spoken.get()


def own_name(language: str) -> str:
    """What a language calls itself, which stands in its catalogue as the translation of English."""
    with speaking(language):
        return _("English")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within it, everything is told in this language."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def in_english(thing: object) -> str:
    """A thing as text for programs, and for files that are the same whoever has them written."""
    with speaking(ENGLISH):
        return str(thing)


def _(text: str, /, **values: object) -> str:
    """A text in the user's language, its placeholders filled in."""
    said = text and _catalogue(spoken()).gettext(text)  # that of "" is the catalogue's head
    return said.format(**values) if values else said


def several(one: str, more: str, count: int, /, **values: object) -> str:
    """A text about one or `count` things."""
    return _catalogue(spoken()).ngettext(one, more, count).format(count=count, **values)


def marked(text: str) -> str:
    """The text itself, which is told in the user's language elsewhere."""
    return text


def told(text: str) -> str:
    """A text that was put together elsewhere: its numbers, and a name in brackets at its end, are no part of it.

    ``about 20 more seeds`` is looked up as ``about {n} more seeds``, ``Orders (store)`` as ``Orders ({what})`` and
    ``store``.
    """
    if (said := _(text)) != text or spoken() == ENGLISH:
        return said
    template, values = taken_apart(text)
    if (said := _(template)) == template:
        return text
    return said.format(**{name: _(value) for name, value in values.items()})


def told_by(text: str, templates: Iterable[str]) -> str:
    """A text that others put together, by the first of these templates that it fits; so is what it is filled with."""
    for template in templates:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(template))
        if found := re.fullmatch(pattern, text, re.DOTALL):
            return _(template).format(**{name: told_by(value, templates) for name, value in found.groupdict().items()})
    return text


def taken_apart(text: str) -> tuple[str, dict[str, str]]:
    """A text without its first number, wherever that stands in it, and its name in brackets; and these."""
    values = {}
    if found := _INSIDE.search(text):
        values["what"] = found[1]
        text = text[: found.start()] + " ({what})"
    if found := _NUMBER.search(text):
        values["n"] = found[0]
        text = re.sub(rf"(?<!\d)(?<!\d,){found[0]}(?!,?\d)", "{n}", text)
    return text, values


@cache
def _catalogue(language: str) -> NullTranslations:
    """The translations of a language; those of English are empty."""
    if language == ENGLISH:
        return NullTranslations()
    import polib  # takes some milliseconds, and English needs it not

    whole = polib.POFile()
    for file in sorted((FOLDER / language).glob("*.po")):
        book = polib.pofile(str(file))
        whole.metadata = book.metadata
        whole.extend(book)
    return GNUTranslations(BytesIO(whole.to_binary()))
