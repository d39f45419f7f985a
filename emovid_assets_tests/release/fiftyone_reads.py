"""FiftyOne itself reads a release, in its own environment (`make fiftyone`), which knows nothing of this project.

    python fiftyone_reads.py RELEASE

Prints a line of JSON: what it has read of its own format and by `load.to_fiftyone`.
"""

import json
import sys
from pathlib import Path
from typing import Any


def label(said: Any) -> list[Any] | None:
    return said and [said.label, said.confidence]


def seen(dataset: Any) -> dict[str, Any]:
    return {
        sample.clip_id: {
            "filepath": sample.filepath,
            "is_there": Path(sample.filepath).is_file(),
            "media_type": sample.media_type,
            "tags": sample.tags,
            **{name: label(sample[name]) for name in ("emotion", "human", "vlm")},
            **{
                name: sample[name]
                for name in ("caption", "start_s", "hue", "has_audio", "caption_frame_pts_s", "title")
            },
        }
        for sample in dataset
    }


def main(folder: str) -> None:
    import fiftyone as fo

    sys.path.insert(0, folder)
    from load import to_fiftyone

    own = fo.Dataset.from_dir(dataset_dir=f"{folder}/fiftyone", dataset_type=fo.types.FiftyOneDataset)
    facts = {
        "own": seen(own),
        "loaded": seen(to_fiftyone(folder)),
        "counts": own.count_values("emotion.label"),
        "benchmark": len(own.match_tags("benchmark")),
        "sure": len(own.match(fo.ViewField("vlm.confidence") > 0.4)),
        "meaning": own.get_field("start_s").description,
        "classes": own.default_classes,
        "info": own.info,
    }
    sys.stdout.write("\n" + json.dumps(facts) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
