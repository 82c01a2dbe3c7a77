# Two images from one file: `parley`, with every program of ours, and `postgres`, PostgreSQL with pgvector.
# Both are Debian 13 and nothing else.

FROM debian:trixie-slim AS build
WORKDIR /src
COPY common/scripts common/scripts
RUN apt-get update && common/scripts/deps.sh build
COPY . .
RUN make -j2 \
 && install -D -t /out/bin build/release/gateway build/release/svc-* build/release/parley-* \
 && strip /out/bin/* \
 # the packages that hold the libraries these programs load
 && ldd /out/bin/* | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p' | sort -u | xargs -n1 readlink -f \
  | xargs -n1 dpkg-query -S 2>/dev/null | cut -d: -f1 | sort -u > /out/packages

FROM debian:trixie-slim AS parley
COPY --from=build /out/packages /tmp/packages
RUN apt-get update \
 && xargs apt-get install -y --no-install-recommends poppler-utils poppler-data ca-certificates < /tmp/packages \
 && rm -rf /var/lib/apt/lists/* /tmp/packages \
 && useradd --system --uid 10001 --no-create-home parley \
 && install -d -o parley -m 700 /var/lib/parley
COPY --from=build /out/bin/ /usr/local/bin/
COPY common/docker/healthy.sh /usr/local/bin/healthy
USER parley
WORKDIR /var/lib/parley
VOLUME /var/lib/parley

FROM debian:trixie-slim AS postgres
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
