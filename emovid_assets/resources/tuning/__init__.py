"""Tuning of generators and the world: folders that trainers read, adapters that are made.

Belongs here: what reads a clip or writes a file for this stage. Does not belong here: rules (`core.tuning`), rows
(`assets`).
"""
