"""Report: the result document as one HTML page for people, and as a model card for a hub.

Every number shown stands in the result; nothing is computed here but shares of shown counts. Jinja2 only.
"""

from headstart.report.language_choice import choose_language
from headstart.report.limits import list_limits
from headstart.report.messages import use_language
from headstart.report.notebook import render_confusion, render_mistakes, render_verdict
from headstart.report.render import CARD_PLOT, draw_preview, render_card, render_card_plot, render_html
from headstart.report.sentences import fill_sentences, write_sentence
from headstart.report.without_rows import remove_rows

__all__ = [
    "CARD_PLOT",
    "choose_language",
    "draw_preview",
    "fill_sentences",
    "list_limits",
    "remove_rows",
    "render_card",
    "render_card_plot",
    "render_confusion",
    "render_html",
    "render_mistakes",
    "render_verdict",
    "use_language",
    "write_sentence",
]
