"""Elements of HTML and SVG; the only place where text becomes markup, so all of it is escaped."""

from __future__ import annotations

import html

from sanglier.drill.report.words import clean

_VOID = frozenset({"meta", "br", "rect", "line", "path", "circle"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | None


def escaped(text: str) -> Markup:
    """Escape any text for content and for attributes, and drop what XML does not allow."""
    return text if isinstance(text, Markup) else Markup(html.escape(clean(text), quote=True))


def joined(*children: Child) -> Markup:
    """Put children after one another; plain text among them is escaped."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Markup:
    """Make an element; ``class_`` is class and ``aria_label`` aria-label, None leaves one out."""
    words = [name]
    for key, value in attributes.items():
        if value is not None:
            shown = value if isinstance(value, str) else number(value)
            words.append(f'{key.rstrip("_").replace("_", "-")}="{escaped(shown)}"')
    inner = joined(*children)
    opening = " ".join(words)
    if not inner and name in _VOID:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{inner}</{name}>")


def number(value: float) -> str:
    """Give a coordinate to a tenth, as short as it can be."""
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text
