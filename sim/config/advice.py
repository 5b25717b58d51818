"""What to write instead: the nearest known word, or all of them."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from sim.words import _

SHOWN = 12  # known words listed at most


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice on a word that is not known."""
    words = list(known)
    lowered = {other.lower(): other for other in reversed(words)}
    if near := get_close_matches(word.lower(), lowered, n=1, cutoff=0.6):
        return _('did you mean "{word}"?', word=lowered[near[0]])
    return _("known here: {words}", words=listed(words)) if words else _("nothing is known here")


def listed(words: Iterable[str]) -> str:
    """A list of words, cut when it grows long."""
    all_words = list(words)
    shown = ", ".join(all_words[:SHOWN])
    more = len(all_words) - SHOWN
    return _("{words} and {count} more", words=shown, count=more) if more > 0 else shown


def parted(said: str) -> tuple[str, str]:
    """A check's own words, ``what is wrong; what to write instead``, in these two; in Chinese the semicolon is wide."""
    wrong, *instead = re.split("; |；", said, maxsplit=1)
    return wrong, "".join(instead)
