"""Room: a text base for one language or dialect, made from raw text without labels.

Reads raw text, measures how well a base fits it (unknown tokens, bits per character, against an n-gram model), repairs
its tokenizer and continues its pre-training. Knows nothing of labels, strategies or bundles. Reached through
`headstart.flow.language`; `masked`, `scoring`, `masked_training` and `vocabulary` load torch.
"""
