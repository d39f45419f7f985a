"""Vision-language models: what they are asked, which frames they see, how answers are read.

Belongs here: everything that can be said without a network, a store or a table. torch, transformers and peft are
imported by the functions that use them. Does not belong here: items, quarantine, HTTP (`resources`).
"""
