# Two images: `app`, which runs servers and workers, and `envoy`, which is Envoy with the configuration
# made from the contracts. compose.yaml builds both.

FROM python:3.11-slim-bookworm AS build
ARG UV_VERSION=0.13.9
ENV UV_NO_PROGRESS=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir --quiet --disable-pip-version-check --root-user-action=ignore "uv==${UV_VERSION}"
WORKDIR /src
# Dependencies first: they change rarely, and this layer is kept until they do. As in the Makefile, the
# pins and hashes are exported from uv.lock and installed from the index that the build machine uses.
COPY pyproject.toml uv.lock ./
COPY gen/python/pyproject.toml gen/python/
COPY core/pyproject.toml core/
COPY channels/pyproject.toml channels/
COPY server/pyproject.toml server/
COPY workers/pyproject.toml workers/
COPY standalone/pyproject.toml standalone/
COPY sdk/python/pyproject.toml sdk/python/
RUN uv export --quiet --frozen --no-dev --package chat4all-server --package chat4all-workers \
        --no-emit-workspace --no-header > /tmp/pins.txt \
    && uv venv --quiet /app \
    && uv pip sync --quiet --python /app --require-hashes /tmp/pins.txt
COPY gen/python gen/python
COPY core core
COPY channels channels
COPY server server
COPY workers workers
RUN uv pip install --quiet --python /app --no-deps ./gen/python ./core ./channels ./server ./workers


FROM build AS envoy-configuration
# Only the part that renders Envoy's configuration is used; it needs none of the package's dependencies.
COPY standalone standalone
RUN uv pip install --quiet --python /app --no-deps ./standalone
COPY envoy envoy
COPY deploy/envoy deploy/envoy
COPY gen/envoy/chat4all.binpb /etc/envoy/chat4all.binpb
ARG SERVERS
RUN /app/bin/python deploy/envoy/render.py --descriptors /etc/envoy/chat4all.binpb --template envoy/envoy.yaml.tmpl \
        --output /etc/envoy/envoy.yaml ${SERVERS}


FROM envoyproxy/envoy:v1.40.0 AS envoy
COPY --from=envoy-configuration /etc/envoy/envoy.yaml /etc/envoy/chat4all.binpb /etc/envoy/
USER envoy
ENTRYPOINT ["envoy", "-c", "/etc/envoy/envoy.yaml"]
CMD ["--log-level", "warn"]


FROM python:3.11-slim-bookworm AS app
RUN useradd --system --uid 10001 --no-create-home chat4all \
    && install --directory --owner chat4all --mode 0700 /keys
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1
USER chat4all
# The module and its arguments are the command. Exec form: the process itself gets SIGTERM and drains.
ENTRYPOINT ["python", "-m"]
CMD ["chat4all_server"]
