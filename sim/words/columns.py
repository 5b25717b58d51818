"""Text by the columns of a terminal, where a Chinese character takes two and a line may end after any of them."""

import re
import unicodedata
from textwrap import TextWrapper

_FILLER = "\0"  # stands beside a character of two columns, so that its length is its width
_OPENING, _CLOSING = "[（《【“‘]", "[，。、；：？！）》】”’…]"  # what no line ends with, and none begins with
_PIECE = re.compile(rf"(?:{_OPENING}\0?)*(?:[^\0]\0|(?:[^\0\s](?!\0))+)(?:{_CLOSING}\0?)*|\s+")


def width(text: str) -> int:
    """Columns that a text takes: Chinese characters two, combining marks none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def left(text: str, columns: int) -> str:
    """A text at the left edge of so many columns."""
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """A text at the right edge of so many columns."""
    return " " * (columns - width(text)) + text


def cut(text: str, columns: int) -> str:
    """A text in at most so many columns; an ellipsis stands for what is left out."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "…"


def wrap(text: str, columns: int, first: str = "", rest: str = "", *, whole: bool = False) -> list[str]:
    """Lines of at most so many columns, the first and the others with what they begin with; as `textwrap.wrap`.

    A word that is longer than a line is broken, or (`whole`) sticks out.
    """
    lines = _Wrapper(columns, initial_indent=_filled(first), subsequent_indent=rest, break_on_hyphens=False)
    lines.break_long_words = not whole
    return [line.replace(_FILLER, "") for line in lines.wrap(_filled(text))]


def _filled(text: str) -> str:
    return "".join(c + _FILLER if width(c) == 2 else c for c in text)


class _Wrapper(TextWrapper):
    """Breaks after every Chinese character too, unless a closing mark follows."""

    def _split(self, text: str) -> list[str]:
        return [piece for chunk in super()._split(text) for piece in _PIECE.findall(chunk)]

    def _handle_long_word(self, reversed_chunks: list[str], cur_line: list[str], cur_len: int, width: int) -> None:
        chunk, room = reversed_chunks[-1], max(width - cur_len, 1)
        if self.break_long_words and chunk[room : room + 1] == _FILLER:  # no character is cut in two
            reversed_chunks[-1:] = [chunk[room - 1 :], chunk[: room - 1]]
        super()._handle_long_word(reversed_chunks, cur_line, cur_len, width)
