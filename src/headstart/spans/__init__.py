"""Room: token classification. Texts whose words carry tags: names, places, dates, parts of speech, any kind of span.

A source becomes `SpanText`s (readers), a text becomes words with offsets into the original string, words become
features (of characters, of a frozen base model, or of a tuned one), a linear-chain CRF decides on tags, and tags become
spans again. Scores are of whole spans. Nothing here knows a command, a bundle or a report.
"""
