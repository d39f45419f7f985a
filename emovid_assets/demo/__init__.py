"""The drawn library: films, animations and stickers made by the program itself, with known truth, and the demo on it.

Belongs here: drawing, simulated annotators, the demo's course. Does not belong here: anything that real libraries need.
"""
