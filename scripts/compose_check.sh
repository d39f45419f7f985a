#!/usr/bin/env bash
# The deployment of docker-compose.yml, from an empty machine to a built demo, on a machine with a Docker engine.
#
#   scripts/compose_check.sh              # builds the image, starts everything but the model server, checks, takes it down
#   scripts/compose_check.sh --keep       # leaves it running
#
# It was written without an engine at hand and has not been run: what it asks for is what docs/deployment.md says. Needs
# Docker Compose 2.24 or later, some 8 GB of disk, and the network for images and packages. It uses a project of its own
# (`emovid-check`), volumes and ports of its own, and ends with 0 where everything held. For a weekly run:
#
#   0 3 * * 0  cd /srv/emovid-assets && git pull --quiet && scripts/compose_check.sh >compose_check.log 2>&1 || mail …
set -euo pipefail
cd "$(dirname "$0")/.."

keep=""
[[ "${1:-}" == "--keep" ]] && keep=yes
settings=$(mktemp)
secret() { head -c 18 /dev/urandom | base64 | tr -d '/+='; }
cat >"$settings" <<END
DAGSTER_PG_PASSWORD=$(secret)
LABEL_STUDIO_PASSWORD=$(secret)
EMOVID_UI_PORT=13000
LABEL_STUDIO_PORT=18080
END
compose() { docker compose --project-name emovid-check --env-file "$settings" --profile annotate "$@"; }

finish() {
  status=$?
  if ((status)); then compose ps --all || true; compose logs --tail 40 || true; fi
  if [[ -z "$keep" ]]; then
    compose down --volumes --timeout 20 || true
    rm -f "$settings"
  else
    echo "left running; settings are in $settings"
  fi
  exit "$status"
}
trap finish EXIT

say() { echo "== $*"; }
# A connection that must not be possible: python is in every image that is asked.
is_closed() {
  say "$1 does not reach $2:$3"
  ! compose exec -T "$1" python3 -c "import socket; socket.create_connection(('$2', $3), 5)" 2>/dev/null
}

say "the file, as this Compose reads it"
compose --profile gpu config --quiet

say "one image, built once; then everything becomes healthy"
compose up --detach --build --wait --wait-timeout 900

say "the pages answer"
python3 - <<'END'
import urllib.request
for address in ("http://127.0.0.1:13000/server_info", "http://127.0.0.1:18080/health"):
    assert urllib.request.urlopen(address, timeout=20).status == 200, address
END

say "the three networks"
is_closed label-studio postgres 5432
is_closed label-studio dagster-code 4000
is_closed label-studio code 4000
is_closed daemon pypi.org 443

say "a demo is built in the code container, and its runs are in PostgreSQL"
compose exec -T code emovid demo --size small
runs=$(compose exec -T postgres psql --username dagster --dbname dagster --tuples-only --no-align --command "select count(*) from runs where status = 'SUCCESS'")
((runs > 0))

say "a run through queue, daemon and code server"
compose exec -T code dagster job launch --workspace /opt/dagster/home/workspace.yaml --job tidy_history
for _ in $(seq 60); do
  ended=$(compose exec -T postgres psql --username dagster --dbname dagster --tuples-only --no-align --command "select count(*) from runs where pipeline_name = 'tidy_history' and status = 'SUCCESS'")
  ((ended)) && break
  sleep 5
done
((ended))

say "Label Studio is asked for by name; without a token it says which one it wants"
said=$(compose exec -T code emovid annotate status 2>&1 || true)
[[ "$said" == *EMOVID_LABEL_STUDIO_TOKEN* ]]

say "memory is limited"
for container in $(compose ps --quiet); do
  (($(docker inspect --format '{{.HostConfig.Memory}}' "$container") > 0))
done
say "everything held"
