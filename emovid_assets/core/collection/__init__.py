"""What is collected and why: formats of metadata and answers, the life of a wanted item, duplicates, terms.

Belongs here: decisions from values. Does not belong here: network, files of the library, state
(`resources.collection`).
"""
