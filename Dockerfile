# syntax=docker/dockerfile:1
# One image for the code server, the webserver, the daemon and the migration: same code, same versions.
#
# No system package is installed. The wheels of PyAV and of headless OpenCV bring FFmpeg and all else with them:
# beyond their own folders they need glibc, zlib and libstdc++, which the slim image has. libGL and GTK are
# needed by the GUI build of OpenCV only, which is not used.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE dagster.yaml workspace.yaml ./
COPY deploy ./deploy
COPY sql ./sql
COPY emovid_assets ./emovid_assets
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM ${PYTHON_IMAGE}
# constraints.txt pins torch==2.13.0. Where the default index serves that as a CUDA build of several gigabytes,
# give the address of an index with CPU builds: its 2.13.0+cpu satisfies the pin and pip prefers it. Build
# arguments stay readable in the image's history, so the address must not hold a password.
ARG PIP_EXTRA_INDEX_URL=""
# The owner of the data. With a data folder of the host, the number of the user that owns it there.
ARG EMOVID_UID=10001
# More optional parts of the package, by their names in pyproject.toml with blanks between: `generation` runs video
# generators (docs/deployment.md).
ARG EMOVID_EXTRAS=""
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 DAGSTER_HOME=/opt/dagster/home

# Dependencies are a layer of their own: a change of the code alone does not install torch again.
WORKDIR /opt/emovid
COPY pyproject.toml constraints.txt ./
RUN python -c "import os, tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *(one for name in ('postgres', *os.environ.get('EMOVID_EXTRAS', '').split()) for one in p['optional-dependencies'][name]), sep='\n')" > requirements.txt \
 && pip install --constraint constraints.txt --requirement requirements.txt

RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels pip install --no-deps /wheels/*.whl

RUN useradd --create-home --uid "${EMOVID_UID}" emovid \
 && install --directory --owner emovid --group emovid /opt/dagster/home /opt/dagster/home/storage /data
COPY --chown=emovid:emovid deploy/dagster.yaml deploy/workspace.yaml /opt/dagster/home/

USER emovid
WORKDIR /opt/dagster/home
