# Stand-in for influxdb:1.8: Debian's InfluxDB 1.6, which speaks the same /write and /query.
FROM debian:bookworm-slim
RUN apt-get update -qq \
  && apt-get install -qq --no-install-recommends influxdb influxdb-client >/dev/null \
  && rm -rf /var/lib/apt/lists/*
ENV INFLUXDB_META_DIR=/var/lib/influxdb/meta \
    INFLUXDB_DATA_DIR=/var/lib/influxdb/data \
    INFLUXDB_DATA_WAL_DIR=/var/lib/influxdb/wal
USER influxdb
VOLUME /var/lib/influxdb
EXPOSE 8086
CMD ["influxd"]
