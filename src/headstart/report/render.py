"""Fill the two templates. HTML is escaped by Jinja2, Markdown and YAML by the filters below."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from headstart.markdown_text import escape_markdown
from headstart.modalities.preview_records import AnyPreview
from headstart.report.figures.card_plot import draw_card_plot
from headstart.report.hub import find_base_id
from headstart.report.messages import (
    format_number,
    isolate,
    translate,
    translate_count,
    translate_count_html,
    translate_html,
    translate_stored,
    use_language,
)
from headstart.report.previews import Previews, choose_colour, plot_series
from headstart.report.sentences import mark_english, mark_sentence, write_sentence
from headstart.report.sentences.stored import translate_fact
from headstart.report.view import gather_view
from headstart.report.words import (
    format_amount,
    format_fixed,
    format_interval,
    format_percent,
    format_rounded_interval,
    format_share_interval,
    format_share_range,
    format_significant,
    shorten,
)
from headstart.results import Result
from headstart.results.report_rows import ReportRows

CARD_PLOT = "card.svg"
"""File of the picture of the model card, beside it."""
_EXAMPLE_CODE = {"image": '["photo.jpg"]', "text": '["no water since Monday"]', "series": "[[0.1, 0.4, 0.2, 0.3]]"}
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def render_html(result: Result, previews: Previews, language: str = "en", rows: ReportRows | None = None) -> str:
    """Make the report: one HTML page without remote parts, under 3 MB. It is complete without its script.

    Parameters
    ----------
    result : Result
        The finished document; every number of the page comes from it.
    previews : Previews
        Thumbnails, texts and values of the rows that are shown, by id; at most 2.45 MB of them.
    language : str
        Of the page: en, fr, es, sw or ar.
    rows : ReportRows or None
        The rows that are shown one by one; None in runs of older versions.

    Returns
    -------
    str
        The page, to be written as UTF-8.
    """
    with use_language(language):
        script = _read_script()
        values = {**gather_view(result, previews, rows), "script": Markup(script), "script_hash": _hash_script(script)}
        return clean_text(open_templates().get_template("report.html").render(values))


def render_card(result: Result, language: str = "en") -> str:
    """Make the model card: Markdown with the YAML header that model hubs read.

    Parameters
    ----------
    result : Result
        The finished document.
    language : str
        Of the text: en, fr, es, sw or ar; the YAML header stays as hubs read it.

    Returns
    -------
    str
        Contents of README.md, to be written as UTF-8.
    """
    with use_language(language):
        return clean_text(
            open_templates()
            .get_template("card.md")
            .render(
                gather_view(result, {}),
                base_id=find_base_id(result),
                plot=CARD_PLOT if draw_card_plot(result) else "",
                example_code=_EXAMPLE_CODE[result.modality],
                _=translate,
                _n=translate_count,
            )
        )


def render_card_plot(result: Result, language: str = "en") -> str:
    """Make the picture of the model card: SVG that stands beside it; "" where there is nothing to draw.

    Parameters
    ----------
    result : Result
    language : str
        Of its text.
    """
    with use_language(language):
        return clean_text(draw_card_plot(result))


def draw_preview(preview: AnyPreview | None, name: str) -> Markup:
    """Return HTML of one preview; empty where there is none.

    Parameters
    ----------
    preview : AnyPreview or None
    name : str
        Id of the row.
    """
    drawn: Any = open_templates().get_template("previews.html").module
    return Markup("") if preview is None else Markup(drawn.drawn(preview, name))


@cache
def _read_script() -> str:
    return files("headstart.report").joinpath("templates", "report.js").read_text("utf-8")


def _hash_script(script: str) -> str:
    """Return the source expression by which the page's policy allows this script and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}"


def format_duration(seconds: float) -> str:
    """Write a length of time as people say it.

    Examples
    --------
    >>> format_duration(0.42), format_duration(75), format_duration(4000)
    ('0.4 s', '1 min 15 s', '1 h 6 min')
    """
    if seconds < 59.5:
        return isolate(f"{format_number(f'{seconds:.1f}')} s" if seconds < 10 else f"{seconds:.0f} s")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return isolate(f"{minutes} min {rest} s")
    return isolate(f"{minutes // 60} h {minutes % 60} min")


def quote_yaml(text: str) -> str:
    r"""Write a string for YAML: JSON quotes, and escapes for what YAML does not allow bare.

    Examples
    --------
    >>> quote_yaml('a "b": c')
    '"a \\"b\\": c"'
    """
    written = json.dumps(text, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def keep_on_one_line(text: str) -> Markup:
    """Keep a date or the like from being broken over two lines.

    Examples
    --------
    >>> keep_on_one_line("2026-11-30")
    Markup('<span class="unbroken">2026-11-30</span>')
    """
    return Markup('<span class="unbroken">{}</span>').format(text)


def make_slug(text: str) -> str:
    """Write a name as hubs allow it in an identifier.

    Examples
    --------
    >>> make_slug("my leaves (2024)")
    'my-leaves-2024'
    """
    return re.sub(r"[^\w.-]+", "-", text).strip("-.") or "data"


@cache
def open_templates() -> Environment:
    """Make the environment once; anything undefined is an error."""
    environment = Environment(
        loader=PackageLoader("headstart.report"),
        autoescape=lambda name: name is None or not name.endswith(".md"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=format_percent,
        amount=format_amount,
        amounts=format_interval,
        ends=format_share_interval,
        range=format_share_range,
        duration=format_duration,
        quoted=quote_yaml,
        markdown=escape_markdown,
        slug=make_slug,
        short=shorten,
        thousands=lambda n: format_number(f"{n:,}"),
        fixed=format_fixed,
        significant=format_significant,
        rounded=format_rounded_interval,
        isolated=isolate,
        unbroken=keep_on_one_line,
        own=mark_english,
        fact=translate_fact,
        stored=translate_stored,
        sentence=write_sentence,
        marked=mark_sentence,
        plotted=plot_series,
        coloured=choose_colour,
    )
    environment.globals.update(_=translate_html, _n=translate_count_html)
    return environment


def clean_text(text: str) -> str:
    """Replace what UTF-8 cannot hold (halves of characters in odd file names)."""
    return text.encode("utf-8", "replace").decode("utf-8")
