"""What to write instead: the nearest known word, or all of them."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 12  # known words listed at most


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advice on a word that is not known."""
    words = list(known)
    lowered = {other.lower(): other for other in reversed(words)}
    if near := get_close_matches(word.lower(), lowered, n=1, cutoff=0.6):
        return f'did you mean "{lowered[near[0]]}"?'
    return f"known here: {listed(words)}" if words else "nothing is known here"


def listed(words: Iterable[str]) -> str:
    """A list of words, cut when it grows long."""
    all_words = list(words)
    more = f" and {len(all_words) - SHOWN} more" if len(all_words) > SHOWN else ""
    return ", ".join(all_words[:SHOWN]) + more
