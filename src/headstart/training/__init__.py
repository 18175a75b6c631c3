"""Room: the one training loop, cut into named steps, and the plan that says what it does.

Knows tensors and networks; nothing of tables, labels' names or strategies.
"""
