"""What Chromium makes of a report on a screen of a given width: how wide it gets, and what the console says."""

from pathlib import Path
from typing import Any

from emovid_assets_tests.browser import Served, visit

# The report forbids scripts, so a page around it measures it: a frame has its own width and its own media queries.
PAGE = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">
<iframe id="f" src="/report.html" style="border:0;width:WIDTHpx;height:800px"></iframe><script>
document.getElementById("f").onload = () => {
  const inner = document.getElementById("f").contentDocument, root = inner.documentElement;
  const wide = [...inner.querySelectorAll("body *")].filter(e => !e.closest(".scroll"))
    .filter(e => e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName + "." + e.className);
  const clipped = [...inner.querySelectorAll("svg.chart text")].filter(text => {
    const a = text.getBoundingClientRect(), b = text.closest("svg").getBoundingClientRect();
    return a.width && (a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1);
  }).map(text => text.textContent);
  const pictures = [...inner.images].filter(image => !image.naturalWidth).length;
  const size = {width: root.clientWidth, scrollWidth: root.scrollWidth, height: root.scrollHeight};
  fetch("/", {method: "POST", body: JSON.stringify({...size, wide, clipped, broken: pictures})});
};
</script>"""


def measure(report: Path, width_px: int) -> dict[str, Any]:
    """`scrollWidth` and what sticks out, texts outside their figure, pictures that do not load, console, requests."""
    page = PAGE.replace("WIDTH", str(width_px)).encode()
    seen = visit({"/": Served(page), "/report.html": Served(report.read_bytes())}, "show the report")
    return seen.posted | {"console": seen.console, "asked": seen.asked}
