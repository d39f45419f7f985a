# diffusers cleans the prompt of Wan's image-to-video pipeline with ftfy, which it does not install; text-to-video does without.
#
# Seen with diffusers 0.42.1, torch 2.13.0, transformers 5.23.0, Python 3.11.7, Linux.
#
# Both pipelines pass every prompt through a function of the same name. The one of text-to-video looks whether ftfy is
# there, the one of image-to-video does not, and ends with NameError once the models are loaded and the prompt is
# encoded. ftfy is among the packages for developing diffusers only, so an installation by its metadata lacks it.
#
# Output that was seen:
#   ftfy is wanted by: dev, test
#   text to video: a dog runs
#   image to video: NameError
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq diffusers==0.42.1 torch==2.13.0 transformers==5.23.0; } || exit 2

cat >look.py <<'PY'
import re
import sys
from importlib.metadata import requires

from diffusers.pipelines.wan import pipeline_wan, pipeline_wan_i2v

wanted = [line for line in requires("diffusers") if line.startswith("ftfy")]
extras = sorted(found for line in wanted for found in re.findall(r'extra == "(\w+)"', line))
print(f"ftfy is wanted by: {', '.join(extras)}")
found = {}
for name, pipeline in (("text to video", pipeline_wan), ("image to video", pipeline_wan_i2v)):
    try:
        found[name] = pipeline.prompt_clean("a dog runs")
    except NameError as error:
        found[name] = type(error).__name__
    print(f"{name}: {found[name]}")
if found != {"text to video": "a dog runs", "image to video": "NameError"} or extras != ["dev", "test"]:
    sys.exit("changed: image to video does without ftfy, or ftfy is installed")
PY
venv/bin/python -W ignore look.py
