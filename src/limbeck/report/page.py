"""A story as one HTML file that needs nothing else: no request leaves it, no text in it can become markup or script."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limbeck.files import check_suffix, write_atomically
from limbeck.report.draw import draw_chart, draw_heat_map
from limbeck.report.figures import Chart, Code, Gallery, HeatMap, Part, Section, Story, Table
from limbeck.report.numbers import chart_numbers, heat_map_numbers
from limbeck.report.style import SCRIPT, STYLE

__all__ = ["page", "write_page"]

_CELL = 34  # pixels a heat map's column needs to stay readable; narrower screens scroll it sideways

_LONG = 44  # letters of a table cell that may be broken into lines


def page(story: Story) -> str:
    """The whole file: semantic HTML with style sheet, pictures, Plotly and figure data inside.

    Everything that comes from outside is escaped, and a content security policy lets only the two scripts written
    here run and lets nothing be fetched.
    """
    figures: dict[str, Any] = {}
    sections = [_section(section, place, figures) for place, section in enumerate(story.sections)]
    scripts = [_plotly(), SCRIPT] if figures else []
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            _head(story, scripts),
            "<body>",
            _header(story),
            "<main>",
            *sections,
            "</main>",
            "<footer>Written by limbeck. This file is complete in itself and opens offline.</footer>",
            *_scripts(figures, scripts),
            "</body>",
            "</html>",
            "",
        ]
    )


def write_page(path: Path | str, story: Story) -> Path:
    """Write :func:`page` to ``path``, which ends in .html, whole or not at all.

    Raises OptionError for another name, DirectoryError where the file cannot be written.
    """
    target = Path(path)
    check_suffix(target, (".html", ".htm"), "a page")
    write_atomically(target, page(story).encode())
    return target


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _head(story: Story, scripts: Sequence[str]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    policy = f"default-src 'none'; script-src {hashes or chr(39) + 'none' + chr(39)}; "
    policy += "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return "\n".join(
        [
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="generator" content="limbeck">',
            f'<meta name="description" content="{_text(story.finding)}">',
            f"<title>{_text(story.title)}</title>",
            '<link rel="icon" href="data:,">',
            f"<style>{STYLE}</style>",
            "</head>",
        ]
    )


def _header(story: Story) -> str:
    details = "".join(f"<li>{_text(detail)}</li>" for detail in story.details)
    facts = "".join(
        f"<div><dt>{_text(fact.label)}</dt><dd>{_text(fact.value)}</dd>"
        f'<dd class="detail">{_text(fact.detail)}</dd></div>'
        for fact in story.facts
    )
    links = "".join(f'<li><a href="#s{i}">{_text(s.title)}</a></li>' for i, s in enumerate(story.sections))
    parts = [f"<h1>{_text(story.title)}</h1>", f'<p class="finding">{_text(story.finding)}</p>']
    parts += [f"<ul>{details}</ul>"] if details else []
    parts += [f'<dl class="facts">{facts}</dl>'] if facts else []
    parts += [f'<nav aria-label="Sections"><ul>{links}</ul></nav>'] if len(story.sections) > 1 else []
    return "<header>\n" + "\n".join(parts) + "\n</header>"


def _section(section: Section, place: int, figures: dict[str, Any]) -> str:
    text = [f"<p>{_text(paragraph)}</p>" for paragraph in section.text]
    parts = [_part(part, figures) for part in section.parts]
    heading = f'<h2 id="h{place}">{_text(section.title)}</h2>'
    return "\n".join([f'<section id="s{place}" aria-labelledby="h{place}">', heading, *text, *parts, "</section>"])


def _part(part: Part, figures: dict[str, Any]) -> str:
    if isinstance(part, Chart):
        return _plot(part.title, part.alt, draw_chart(part), figures) + _table(chart_numbers(part))
    if isinstance(part, HeatMap):
        width = 190 + _CELL * len(part.columns)
        return _plot(part.title, part.alt, draw_heat_map(part), figures, width) + _table(heat_map_numbers(part))
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Gallery):
        return _gallery(part)
    return _code(part)


def _plot(title: str, alt: str, drawing: dict[str, Any], figures: dict[str, Any], width: int = 0) -> str:
    name = f"f{len(figures)}"
    figures[name] = drawing
    size = f"height:{drawing['layout']['height']}px" + (f";min-width:{width}px" if width else "")
    plot = f'<div class="plot" id="{name}" role="img" aria-label="{_text(alt or title)}" style="{size}"></div>'
    return f'<figure><h3>{_text(title)}</h3><div class="scroll">{plot}</div></figure>'


def _table(table: Table) -> str:
    numeric = [
        bool(table.rows) and all(_is_number(row[column]) for row in table.rows) for column in range(len(table.header))
    ]
    head = "".join(
        f'<th scope="col"{_mark("", n)}>{_text(cell)}</th>' for n, cell in zip(numeric, table.header, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{_mark(cell, n)}>{_text(cell)}</td>" for n, cell in zip(numeric, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    caption = "" if table.folded or not table.caption else f"<caption>{_text(table.caption)}</caption>"
    whole = f'<div class="scroll"><table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return f"<details><summary>{_text(table.caption)}</summary>{whole}</details>" if table.folded else whole


def _mark(cell: str, number: bool) -> str:
    return ' class="number"' if number else ' class="long"' if len(cell) > _LONG else ""


def _is_number(cell: str) -> bool:
    return cell == "–" or re.fullmatch(r"[+−]?[\d.,]+(e[+−]?\d+)?(\u00a0%)?", cell) is not None


def _gallery(gallery: Gallery) -> str:
    head = '<th scope="col" class="name">class</th>'
    head += "".join(f'<th scope="col">{_text(column)}</th>' for column in gallery.columns)
    rows = "".join(
        f'<tr><th scope="row" class="name">{_text(name)}</th>'
        + "".join(
            f'<td data-column="{_text(column)}">{_image(strip.png, strip.alt)}</td>'
            for column, strip in zip(gallery.columns, strips, strict=True)
        )
        + "</tr>"
        for name, strips in gallery.rows
    )
    note = f"<p>{_text(gallery.note)}</p>" if gallery.note else ""
    table = f'<table class="gallery"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    if gallery.folded:
        return f"<details><summary>{_text(gallery.title)}</summary>{note}{table}</details>"
    return f"<figure><h3>{_text(gallery.title)}</h3>{note}{table}</figure>"


def _image(png: bytes, alt: str) -> str:
    return f'<img alt="{_text(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _code(code: Code) -> str:
    return f"<p>{_text(code.caption)}</p><pre><code>{_text(code.text)}</code></pre>"


def _scripts(figures: dict[str, Any], scripts: Sequence[str]) -> list[str]:
    if not figures:
        return []
    data = json.dumps(figures, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return [
        f'<script type="application/json" id="figures">{data}</script>',
        *(f"<script>{s}</script>" for s in scripts),
    ]


def _text(text: str) -> str:
    return html.escape(text, quote=True)
