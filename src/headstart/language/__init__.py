"""Room: a text base for one language or dialect, made from raw text without labels.

Reads raw text, says how well a base fits it (unknown pieces, bits per character, against an n-gram model), repairs its
tokenizer and goes on with its pre-training. Knows nothing of labels, strategies or bundles. Reached through
`headstart.flow.language`; `masked`, `scoring`, `masked_training` and `vocabulary` load torch.
"""
