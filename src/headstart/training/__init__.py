"""Room: the one training loop, cut into named steps, and its config.

Knows tensors and networks; nothing of tables, labels' names or strategies.
"""
