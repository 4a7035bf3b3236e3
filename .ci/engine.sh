#!/usr/bin/env bash
# Starts a Docker engine in the background where none answers, and waits until it does.
set -euo pipefail
state="$(cd "$(dirname "$0")" && pwd)/state"
mkdir -p "$state"

docker info >/dev/null 2>&1 && exit 0

setsid nohup dockerd >"$state/dockerd.log" 2>&1 </dev/null &
for _ in $(seq 60); do
  docker info >/dev/null 2>&1 && exit 0
  sleep 0.5
done
echo "No Docker engine after 30 s; its last words:" >&2
tail -n 20 "$state/dockerd.log" >&2
exit 1
