"""Plausible wrong answers to the exercises, a module a chapter: each must be refused in words that name its fault.

`WRONG` of a module maps an exercise's id to three or more pairs of a function and words of the message it must get.
"""
