#!/usr/bin/env bash
# Makes stand-ins for the base images that the project's files name, from Debian's and npm's registries alone:
# image registries are out of reach of the machines this runs on. Images that exist are left as they are.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
state="$here/state"
mkdir -p "$state"

# What goes wrong is shown; the rest (the builder's notices) stays in the log.
quietly() {
  "$@" >"$state/images.log" 2>&1 || {
    tail -n 30 "$state/images.log" >&2
    exit 1
  }
}

missing() { ! docker image inspect "$1" >/dev/null 2>&1; }

if missing debian:bookworm-slim; then
  root="$state/bookworm"
  rm -rf "$root"
  quietly debootstrap --variant=minbase bookworm "$root"
  rm -rf "$root"/var/cache/apt/archives/*.deb
  tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - debian:bookworm-slim >/dev/null
  rm -rf "$root"
fi

if missing node:24-bookworm-slim; then
  # The build's containers meet the same certificates on the way to the registry as this machine does.
  mkdir -p "$state/node"
  echo '{ "private": true, "allowScripts": { "node": true } }' >"$state/node/package.json"
  quietly npm install --no-package-lock --no-audit --no-fund --prefix "$state/node" node@24 npm@11
  cp -L /etc/ssl/certs/ca-certificates.crt "$state/node/ca.crt"
  quietly docker build --network host -t node:24-bookworm-slim -f "$here/node.Dockerfile" "$state/node"
fi

if missing influxdb:1.8; then
  quietly docker build --network host -t influxdb:1.8 -f "$here/influxdb.Dockerfile" "$here"
fi

docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep -E '^(debian|node|influxdb):'
