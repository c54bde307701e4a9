# route53-takeover as a user without privileges; runs are kept in the volume /state.
# docker build -t route53-takeover .
# It has no deploy tool: build on it, or use --no-deploy (docs/how-to/install.md).
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY src src
RUN uv export --frozen --no-dev --no-emit-project --quiet --output-file /dist/requirements.txt \
    && uv build --wheel --out-dir /dist

FROM python:${PYTHON}-slim
COPY --from=build /dist /dist
RUN pip install --no-cache-dir --require-hashes --requirement /dist/requirements.txt \
    && pip install --no-cache-dir --no-deps /dist/*.whl \
    && rm -r /dist \
    && useradd --uid 10001 --create-home takeover \
    && install -d -m 0700 -o takeover -g takeover /state \
    && install -d -m 0755 -o takeover -g takeover /work
ENV ROUTE53_TAKEOVER_STATE_DIR=/state
VOLUME /state
WORKDIR /work
# A number: Kubernetes' runAsNonRoot cannot check a name.
USER 10001:10001
STOPSIGNAL SIGTERM
# No shell in front of it: signals reach the program.
ENTRYPOINT ["route53-takeover"]
CMD ["--help"]
