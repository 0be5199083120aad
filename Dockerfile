# The service as an image: the store is a file in the volume /data.
FROM python:3.11-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels '.[oidc,tracing]'

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 eligibility \
    && install --directory --owner eligibility /data
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels 'flight-eligibility[oidc,tracing]'
USER eligibility
ENV ELIGIBILITY_STORE=sqlite:////data/eligibility.db
VOLUME /data
EXPOSE 8080
# Inside a container loopback is the container's own, so it listens on all addresses. It starts when
# the store has an API key, and with a certificate or a proxy that has one: docs/operations.md.
CMD ["eligibility", "serve", "--host", "0.0.0.0"]
# It asks itself whether it answers; whose certificate it has is for others to check.
HEALTHCHECK --interval=10s --timeout=3s CMD ["python", "-c", "\
import os, ssl, urllib.request as u; \
s = 's' if os.environ.get('ELIGIBILITY_TLS_CERTIFICATE') else ''; \
p = os.environ.get('ELIGIBILITY_PORT', '8080'); \
u.urlopen(f'http{s}://127.0.0.1:{p}/healthz', timeout=2, context=ssl._create_unverified_context())"]
