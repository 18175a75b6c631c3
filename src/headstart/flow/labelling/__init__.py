"""Room: labelling from nothing: what to label next, what the labels so far tell, and when they are enough.

The mathematics works on vectors and class indices (`learning`, `choosing`, `likeness`, `zero_shot`, `curve`,
`agreement`); `rounds` and `questions` bring a project and its index of vectors to it. No base model is run here, and
nothing is learnt or chosen from examples that are put away for the check.
"""
