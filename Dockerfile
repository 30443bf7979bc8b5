# Never built or run by those who wrote it, who had no Docker. What its steps do was run as plain commands: see
# docs/operations.md, "Containers".

FROM node:20.20-bookworm-slim AS build
WORKDIR /build
# For SQLite, where no binary of it can be downloaded for this platform.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json ./
COPY packages/client/package.json packages/client/
COPY packages/server/package.json packages/server/
# The sources are not here yet, so nothing is built; of the packages only SQLite has to be.
RUN npm ci --ignore-scripts && npm rebuild better-sqlite3
COPY tsconfig.base.json ./
COPY packages/client/tsconfig.json packages/client/
COPY packages/client/src packages/client/src
COPY packages/server/tsconfig.json packages/server/
COPY packages/server/bin packages/server/bin
COPY packages/server/migrations packages/server/migrations
COPY packages/server/pages packages/server/pages
COPY packages/server/src packages/server/src
RUN npx tsc -b packages/server && npm prune --omit=dev
# What only building needed.
RUN rm -rf packages/*/src packages/*/tsconfig* node_modules/better-sqlite3/deps node_modules/better-sqlite3/src

FROM node:20.20-bookworm-slim
ENV NODE_ENV=production \
    WATCHBELL_DATA_DIR=/var/lib/watchbell
WORKDIR /app
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/packages packages
# The directory is there for the embedded store; on PostgreSQL nothing is written anywhere.
RUN ln -s /app/packages/server/bin/watchbell.js /usr/local/bin/watchbell \
    && install -d -o node -g node -m 0700 /var/lib/watchbell
USER node
VOLUME /var/lib/watchbell
EXPOSE 8686
# Alive, not ready: a node that waits for its database is well, and starting it again would not help.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.WATCHBELL_PORT || 8686}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# It finishes what was begun, for which it needs up to a minute: docker stop --time 60.
STOPSIGNAL SIGTERM
ENTRYPOINT ["watchbell"]
CMD ["serve"]
