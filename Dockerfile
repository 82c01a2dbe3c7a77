# The images of compose.yaml: `parley`, with every program of ours, and `postgres`, PostgreSQL with pgvector; for its profiles
# `caddy` and `prometheus`; and `parley-ocr`, which reads scanned pages too. All are Debian 13 and nothing else.

FROM debian:trixie-slim AS base
# No documentation and no translations; apt keeps neither packages nor lists.
RUN printf 'path-exclude /usr/share/%s/*\n' doc man locale info lintian > /etc/dpkg/dpkg.cfg.d/small \
 && echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' > /etc/apt/apt.conf.d/docker-clean
LABEL org.opencontainers.image.title="Parley" org.opencontainers.image.licenses="Apache-2.0"
# What processes speak to each other: upgrade.sh mixes only containers of one number. CHANGELOG.md says when it changes.
LABEL parley.wire="2"

# What is compiled is copied, and nothing else: an edit of README.md or of a test compiles nothing.
FROM base AS build
WORKDIR /src
COPY common/scripts/deps.sh common/scripts/lib.sh common/scripts/
RUN apt-get update && common/scripts/deps.sh build
COPY Makefile compose.yaml ./
COPY common/build common/build
COPY proto proto
COPY gateway gateway
COPY svc-auth svc-auth
COPY svc-documents svc-documents
COPY svc-chatbots svc-chatbots
COPY svc-chat svc-chat
COPY svc-integrations svc-integrations
COPY common common
RUN make -j"$(nproc)" all \
 && install -D -t /out/bin build/release/gateway build/release/svc-* build/release/parley-* \
 && strip /out/bin/* \
 # the packages that hold the libraries these programs load
 && ldd /out/bin/* | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u | xargs -n1 readlink -f \
  | xargs -n1 dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u > /out/packages

FROM base AS postgres
RUN apt-get update \
 && mkdir -p /etc/postgresql-common/createcluster.d \
 && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.d/none.conf \
 && apt-get install -y --no-install-recommends postgresql-17 postgresql-17-pgvector \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o postgres -m 700 /var/lib/parley-postgres && install -d -o postgres -m 755 /run/parley-postgres /run/parley-admin
COPY common/docker/postgres.sh /usr/local/bin/parley-postgres
USER postgres
VOLUME /var/lib/parley-postgres /run/parley-postgres /run/parley-admin
STOPSIGNAL SIGINT
CMD ["parley-postgres"]

FROM base AS parley
COPY --from=build /out/packages /tmp/packages
RUN apt-get update \
 && xargs apt-get install -y --no-install-recommends poppler-utils poppler-data ca-certificates libpq5 libreadline8t64 libzstd1 liblz4-1 < /tmp/packages \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --uid 10001 --no-create-home parley \
 && install -d -o parley -m 700 /var/lib/parley /var/lib/parley-secret
COPY --from=build /out/bin/ /usr/local/bin/
# for `parley backup`
COPY --from=postgres /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore /usr/lib/postgresql/17/bin/psql /usr/local/bin/
COPY common/scripts/parley.sh /usr/local/bin/parley
COPY common/docker/healthy.sh /usr/local/bin/healthy
USER parley
WORKDIR /var/lib/parley
VOLUME /var/lib/parley /var/lib/parley-secret

FROM base AS caddy
RUN apt-get update && apt-get install -y --no-install-recommends caddy ca-certificates && rm -rf /var/lib/apt/lists/* \
 && install -d -o caddy /var/lib/caddy
COPY common/docker/Caddyfile /etc/caddy/Caddyfile
USER caddy
ENV XDG_DATA_HOME=/var/lib/caddy XDG_CONFIG_HOME=/tmp
VOLUME /var/lib/caddy
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]

FROM base AS prometheus
RUN apt-get update && apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/* \
 && install -d -o prometheus /var/lib/prometheus
COPY common/docker/prometheus.yml common/docker/alerts.yml /etc/prometheus/
USER prometheus
VOLUME /var/lib/prometheus
CMD ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/var/lib/prometheus", "--storage.tsdb.retention.time=30d"]

FROM parley AS parley-ocr
USER root
RUN apt-get update && apt-get install -y --no-install-recommends tesseract-ocr tesseract-ocr-eng && rm -rf /var/lib/apt/lists/*
USER parley
