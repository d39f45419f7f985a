"""What Dagster runs, when, and where its results go.

Belongs here: jobs, schedules, sensors, automation, the instance, the I/O manager, putting the definitions together.
Does not belong here: what an asset computes (`assets`), and what is stale (`freshness`).
"""
