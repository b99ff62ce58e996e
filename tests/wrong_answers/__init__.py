"""Wrong answers written apart from the exercises, a module a chapter, and words of the message that each must get.

`WRONG` maps an exercise's id to pairs of a function and words: one or more for each exercise, more for an experiment,
whose mistakes are no options of a reference.
"""
