"""A page taken apart: what a browser would make of it, and whether anything in it could run or be fetched."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "col"}
KNOWN = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "article", "div"),
    *(
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
    ),
    *("th", "td", "figure", "figcaption", "pre", "code", "span", "b", "strong", "em", "mark", "a"),
    *("svg", "line", "path", "rect", "circle", "text", "image"),
}


class Parsed(HTMLParser):
    """Elements in their order, `texts` by what they are in, and `wrong`: all that a report must not hold."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.wrong += [f"{name} is not closed" for name in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        self.elements.append((tag, held))
        if tag not in KNOWN:
            self.wrong.append(f"<{tag}>")
        for name, value in held.items():
            fetched = name in ("href", "src", "xlink:href") and not value.startswith(("#", "data:image/webp;base64,"))
            if (
                name.startswith("on")
                or name == "style"
                or (fetched and not (tag == "a" and value.startswith("https://")))
            ):
                self.wrong.append(f'<{tag} {name}="{value[:60]}">')
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        last = self._open.pop() if self._open else "nothing"
        if last != tag:
            self.wrong.append(f"</{tag}> after <{last}>")

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data[:40]}-->")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"<![{data[:40]}]>")

    @property
    def shape(self) -> list[str]:
        """The names of the elements, whatever they tell."""
        return [name for name, _ in self.elements]

    @property
    def text(self) -> str:
        """All that is read, in one line."""
        return " ".join(" ".join(words for inside, words in self.texts if inside != "style").split())

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of a name."""
        return [held for name, held in self.elements if name == tag]
