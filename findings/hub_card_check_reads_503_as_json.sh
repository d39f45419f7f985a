# huggingface_hub reads a busy hub's answer to the check of a card as JSON, so a commit ends with JSONDecodeError, not 503.
#
# Seen with huggingface_hub 2.4.0, Python 3.11.7, Linux.
#
# A commit that holds README.md first posts it to /api/validate-yaml. The body of the answer is parsed before its status
# is looked at. A proxy in front of a busy hub answers 503 with a page of HTML: what is raised is a ValueError of the json
# module, which says nothing of the hub and which nobody who repeats failed requests (HfHubHTTPError) recognises. The
# same answer to another request of the same commit is a HfHubHTTPError.
#
# Output that was seen:
#   card checked by a busy hub: JSONDecodeError
#   repository asked of a busy hub: HfHubHTTPError
set -eu
unset PYTHONPATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
{ python3 -m venv venv && venv/bin/pip install -qq huggingface_hub==2.4.0; } || exit 2

cat >look.py <<'PY'
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from huggingface_hub import CommitOperationAdd, HfApi


class Busy(BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        page = b"<html>503 Service Unavailable</html>"
        self.send_response(503)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = HfApi(endpoint=f"http://127.0.0.1:{server.server_port}", token=False)
card = [CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n")]
found = {}
for name, ask in (
    ("card checked by a busy hub", lambda: api.create_commit("a/b", card, commit_message="m", repo_type="dataset")),
    ("repository asked of a busy hub", lambda: api.repo_info("a/b", repo_type="dataset")),
):
    try:
        ask()
    except Exception as error:
        found[name] = type(error).__name__
    print(f"{name}: {found[name]}")
if list(found.values()) != ["JSONDecodeError", "HfHubHTTPError"]:
    sys.exit("changed: a busy hub is named, or the card is not checked")
PY
HF_HOME="$work/hf" venv/bin/python -W ignore look.py
