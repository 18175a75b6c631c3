"""The picture of the model card: how often each class is recognised, as a file that model hubs show."""

from __future__ import annotations

from html import escape

from headstart.report.messages import LANGUAGES, current_language, translate
from headstart.report.people_words import count_of_hundred, format_surely_between
from headstart.report.words import shorten, shorten_name
from headstart.results import Figure, Metrics, MultiLabelMetrics, Result

_MOST_ROWS = 12
_WIDTH, _NAMES, _SCALE, _ROW, _TOP = 900, 220, 380, 34, 64
_NAME_CHARACTERS = 22


def draw_card_plot(result: Result) -> str:
    """Draw how often the weakest classes are recognised, with intervals; "" where the task has no classes or no test.

    Parameters
    ----------
    result : Result
    """
    figures = _list_figures(result)
    if not figures:
        return ""
    height = _TOP + _ROW * len(figures) + 40
    is_mirrored = LANGUAGES[current_language()].direction == "rtl"
    title = translate("Recognised of 100, weakest first")
    bottom = _TOP + _ROW * len(figures)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" font-family="system-ui, sans-serif" font-size="15"><title>{escape(title)}</title>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _write_text(title, 16 if not is_mirrored else _WIDTH - 16, 30, anchor="start", is_bold=True),
    ]
    for tick in (0, 25, 50, 75, 100):
        x = _place_x(tick / 100, is_mirrored)
        parts.append(f'<path d="M{x:.1f} {_TOP - 12}V{bottom}" stroke="#d5d8dc"/>')
        parts.append(_write_text(str(tick), x, bottom + 22, anchor="middle"))
    for position, (name, figure) in enumerate(figures):
        parts.append(_draw_row(name, figure, _TOP + _ROW * position, is_mirrored))
    return "".join([*parts, "</svg>\n"])


def _list_figures(result: Result) -> list[tuple[str, Figure]]:
    metrics = result.strategy(result.chosen).test
    named: list[tuple[str, Figure]] = []
    if isinstance(metrics, MultiLabelMetrics):
        named = [(item.label, item.recall) for item in metrics.per_label]
    elif isinstance(metrics, Metrics):
        named = [(item.label, item.recall) for item in metrics.per_class]
    return sorted(named, key=lambda item: item[1].value)[:_MOST_ROWS]


def _draw_row(name: str, figure: Figure, top: float, is_mirrored: bool) -> str:
    middle = top + 6
    low, high, value = (_place_x(share, is_mirrored) for share in (figure.low, figure.high, figure.value))
    edge = _WIDTH - 16 if is_mirrored else 16
    end = _place_x(1.0, is_mirrored) + (-14 if is_mirrored else 14)
    text = f"{count_of_hundred(figure.value)} ({format_surely_between(figure)})"
    return (
        _write_text(shorten(shorten_name(name), _NAME_CHARACTERS), edge, middle + 5, anchor="start", is_bold=True)
        + f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="#55595e" stroke-width="3"/>'
        + f'<circle cx="{value:.1f}" cy="{middle}" r="6" fill="#0b5cad"/>'
        + _write_text(text, end, middle + 5, anchor="start")
    )


def _place_x(share: float, is_mirrored: bool) -> float:
    return _WIDTH - _NAMES - _SCALE * share if is_mirrored else _NAMES + _SCALE * share


def _write_text(text: str, x: float, y: float, *, anchor: str, is_bold: bool = False) -> str:
    weight = ' font-weight="650"' if is_bold else ""
    direction = LANGUAGES[current_language()].direction
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" direction="{direction}" fill="#1a1c1e"{weight}>'
        f"{escape(text)}</text>"
    )
