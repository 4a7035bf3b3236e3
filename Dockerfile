# The console is built with the development dependencies, the platform runs without them.
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY core/package.json core/
COPY broker/package.json broker/
COPY ingest/package.json ingest/
COPY alerting/package.json alerting/
COPY web/package.json web/
COPY simulators/package.json simulators/
COPY tests/package.json tests/

FROM manifests AS console
# No install scripts: Node is the image's own, and the console is built once the sources are here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.base.json ./
COPY core core
COPY web web
RUN node web/prepare.mjs && test -f web/dist/index.html

FROM manifests AS dependencies
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    DATA_DIR=/data
WORKDIR /app
RUN mkdir /data && chown node:node /data
COPY --from=dependencies /app ./
COPY smart-fire.ts ./
COPY core core
COPY broker broker
COPY ingest ingest
COPY alerting alerting
COPY simulators simulators
COPY web web
COPY --from=console /app/web/dist web/dist
USER node
VOLUME /data
EXPOSE 8080 1883 8883
# The certificate is not checked: the address is our own, and it names other hosts.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = 0; const { TLS_CERT, WEB_PORT = 8080 } = process.env; fetch(`http${TLS_CERT ? 's' : ''}://127.0.0.1:${WEB_PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "smart-fire.ts", "start"]
