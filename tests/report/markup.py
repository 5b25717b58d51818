"""A page taken apart by Python's own parser: its elements must nest, its scripts, styles, tables and words are kept."""

import re
from html.parser import HTMLParser

_OTHER = re.compile(r'<template data-language="(\w+)">\n(.*?)\n</template>', re.DOTALL)
VOID = {"meta", "br", "hr", "img", "input", "link", "line"}


class Page(HTMLParser):
    """What a page is made of, and in `others` its bodies in other languages, taken apart alike.

    `scripts` and `styles` by text, the cells of every table row, words outside both, links that it would follow.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.scripts: list[tuple[str | None, str]] = []  # type, text
        self.styles: list[str] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.meta: dict[str, str] = {}
        self.handlers: list[str] = []  # attributes that a policy without 'unsafe-inline' would refuse
        self.codes: list[str] = []
        self.others = {language: Page(body) for language, body in _OTHER.findall(text)}
        self.feed(_OTHER.sub("", text))
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given[name] or "" for name in ("href", "src", "action", "data", "srcset") if name in given]
        self.handlers += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "meta" and "http-equiv" in given:
            self.meta[given["http-equiv"] or ""] = given["content"] or ""
        if tag == "script":
            self.scripts.append((given.get("type"), ""))
        if tag == "style":
            self.styles.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag == "code":
            self.codes.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif inside == "style":
            self.styles[-1] += data
        else:
            self.words.append(data)
            if "code" in self.open:
                self.codes[-1] += data
            if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
                self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
