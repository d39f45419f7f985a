"""What `croissant.json` says of how the data came about, in the vocabulary of responsible AI (RAI 1.0).

Belongs here: the names that the vocabulary knows, and what holds of every release of this project in its terms. Does
not belong here: counts, and sentences that the data card has as well (`card`).

mlcroissant takes a name that the vocabulary does not know without a word, and writes `dataManipulationProtocol` under a
doubled prefix; so names are checked here, and the document is ours.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from emovid_assets.core.release.card import FORBIDDEN, LIMITS, PERSONAL, USES

TEXTS: Final = (
    *("dataCollection", "dataCollectionMissingData", "dataCollectionRawData", "dataImputationProtocol"),
    *("dataManipulationProtocol", "annotationsPerItem", "dataSocialImpact", "dataReleaseMaintenancePlan"),
)
LISTS: Final = (
    *("dataCollectionType", "dataCollectionTimeFrame", "dataPreprocessingProtocol", "dataAnnotationProtocol"),
    *("dataAnnotationPlatform", "dataAnnotationAnalysis", "annotatorDemographics", "machineAnnotationTools"),
    *("dataUseCases", "dataBiases", "dataLimitations", "personalSensitiveInformation"),
)
"""A list of texts each; `dataCollectionTimeFrame` of ISO dates."""


def checked(given: Mapping[str, str | Sequence[str]]) -> dict[str, str | list[str]]:
    """The properties with the prefix of the vocabulary, in one order. Raises ValueError for a name that it does not
    know, and for a text where a list belongs or the other way round."""
    unknown = sorted(set(given) - {*TEXTS, *LISTS})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no property of the RAI vocabulary; it has {', '.join(TEXTS + LISTS)}")
    for name, value in given.items():
        is_text = isinstance(value, str)
        if is_text != (name in TEXTS) or not (is_text or all(isinstance(item, str) for item in value)):
            raise ValueError(f"rai:{name} is {'one text' if name in TEXTS else 'a list of texts'}, not {value!r}")
    ordered = {name: given[name] for name in (*TEXTS, *LISTS) if given.get(name)}
    return {f"rai:{name}": value if isinstance(value, str) else list(value) for name, value in ordered.items()}


def statements(*, machine_tools: Sequence[str], annotators_per_clip: str, languages: str) -> dict[str, str | list[str]]:
    """What holds of every release, to be updated with what holds of one.

    `machine_tools`: models with their revisions that labelled or captioned. `annotators_per_clip`: a sentence such as
    "three people for 20 % of the clips". `languages`: a sentence about what is spoken and read.
    """
    return {
        "dataCollection": "Clips are cut from films, cartoons and stickers that people collected; each row names its "
        "source by the SHA-256 of the file, its place of origin, its licence and whom to credit.",
        "dataCollectionType": ["Secondary data analysis"],
        "dataCollectionMissingData": "What is unknown is null. A clip that may not be passed on is a row without a "
        "file; one that may not even be named is no row.",
        "dataCollectionRawData": "The sources are not part of the release; whoever has them can cut the clips again "
        "and prove with picture_sha256 that they show the same.",
        "dataImputationProtocol": "Nothing is imputed.",
        "dataManipulationProtocol": "Where it can be done without loss a clip keeps the packets of its source; else "
        "its ends or all of it are encoded (columns how, encoding_reason). Transparent stickers are shown over white.",
        "dataPreprocessingProtocol": [
            "Films are cut where scenes change, and clips of 4 to 30 seconds are kept; cartoons and stickers are kept "
            "whole.",
            "Colour attributes are means over all pixels of every 20th picture.",
        ],
        "dataAnnotationProtocol": [
            "People see a clip alone, with sound, and choose one of eight emotions or none; a label is what most of "
            "them chose.",
            "A model trained on these labels answers for the other clips; label_source says which label is whose.",
        ],
        "dataAnnotationPlatform": ["Label Studio", "CSV files"],
        "dataAnnotationAnalysis": [
            "Agreement between people, and between people and the model, is in tables/agreement_statistics.parquet, "
            "with 95 % intervals drawn by source."
        ],
        "annotationsPerItem": annotators_per_clip,
        "annotatorDemographics": ["Not recorded; people go by pseudonyms."],
        "machineAnnotationTools": list(machine_tools),
        "dataUseCases": list(USES),
        "dataBiases": [
            languages,
            "What conveys an emotion differs between cultures; the labels are those of few people.",
        ],
        "dataLimitations": list(LIMITS),
        "dataSocialImpact": f"It may be misused: {'; '.join(FORBIDDEN)}. None of that is a use that it is given for.",
        "personalSensitiveInformation": [PERSONAL],
        "dataReleaseMaintenancePlan": "A release never changes. A corrected one has a higher version; its release.json "
        "names the one before.",
    }
