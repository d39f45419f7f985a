"""Sensors: what happens outside and makes something here stale.

Belongs here: noticing, and asking for runs. Does not belong here: any work on tables; runs do it.
"""

import json

import dagster as dg

from emovid_assets import annotation_server
from emovid_assets.partitions import DOMAINS
from emovid_assets.resources.label_studio import LabelStudio, LabelStudioError
from emovid_assets.resources.project import Project
from emovid_assets.tables import TABLES

# Answers change what labels say, not what a model computes: training is a decision, and labelling follows it.
_LEFT_OUT = (
    *("vlm_labels", "catalogue", "dataset_report"),
    *(name for name, table in TABLES.items() if not table.is_partitioned),
)

take_up_answers = dg.define_asset_job(
    "take_up_answers",
    dg.AssetSelection.assets("human_annotations", "rejected_annotations").downstream(include_self=True)
    - dg.AssetSelection.assets(*dict.fromkeys(_LEFT_OUT)),
    description="Everything of a domain that depends on people's answers, with the labeller as it is.",
)


@dg.sensor(job=take_up_answers, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def label_studio_answers(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult | dg.SkipReason:
    """Pulls from Label Studio and asks for a run of each domain whose answers have changed.

    A pull writes files of the library only, as `emovid annotate pull` does. The cursor holds a digest of the pulled
    files per domain; the run key holds it too, so that the same answers are taken up once.
    """
    home = project.home
    try:
        annotation_server.pull(home, LabelStudio.of(home))
    except LabelStudioError as error:
        return dg.SkipReason(str(error))
    seen = json.loads(context.cursor) if context.cursor else {}
    digests = annotation_server.answer_digests(home)
    changed = [domain for domain in DOMAINS if domain in digests and digests[domain] != seen.get(domain)]
    if not changed:
        return dg.SkipReason("Label Studio has no new answers.")
    requests = [dg.RunRequest(run_key=f"{domain}-{digests[domain]}", partition_key=domain) for domain in changed]
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(digests, sort_keys=True))
