"""What must hold: of a table when it is written, of the protocols, of a whole home.

Belongs here: asset checks, the rules that they and `emovid verify` share, proofs over a home. Does not belong here:
repairing anything but what a proof can name, and Dagster in `rules` and `proofs`.
"""
