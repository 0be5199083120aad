# The service as an image: the store is a file in the volume /data.
FROM python:3.11-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --constraint constraints.txt --wheel-dir /wheels .

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 eligibility \
    && install --directory --owner eligibility /data
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels flight-eligibility
USER eligibility
ENV ELIGIBILITY_STORE=sqlite:////data/eligibility.db
VOLUME /data
EXPOSE 8080
# Inside a container loopback is the container's own; the port is published by whoever runs it.
CMD ["eligibility", "serve", "--host", "0.0.0.0", "--insecure-listen"]
HEALTHCHECK --interval=10s --timeout=3s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=2)"]
