"""The pictures of the report: SVG drawn from the figures of the result, with axes, in the language of the page.

Knows figures and words, nothing of the order of the page. `axis` has names and ticks, `plane` and `rows` draw; the
other modules choose what is drawn of one subject. Templates: figures.html and figures.css.
"""
