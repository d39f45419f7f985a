"""Tuning of generators as rules and formulas: what each family is trained on, and what a training set is.

Belongs here: what can be said without knowing where files lie. Does not belong here: files that trainers read, what is
kept of a training (`resources.tuning`); the training of the labeller, which is called training everywhere.
"""
