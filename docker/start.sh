#!/bin/sh
# Starts Mosaic in its container: brings the database to the version of the code, then becomes the server.
# Several replicas may start at once: one of them migrates, the others wait for it.
#
#   start.sh server            the server
#   start.sh <command> …       a command of Mosaic's, as "doctor" or "breakglass:create"
#
# MOSAIC_START_SEC: how long the database may be away, and another replica may migrate (default 120 seconds).
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-server}" != server ]; then exec node bin/console.js "$@"; fi

deadline=$(($(date +%s) + ${MOSAIC_START_SEC:-120}))
until said=$(node bin/console.js migration:run --force 2>&1); do
  case $said in
    # Whoever does not get the lock says that it could not give it back.
    *'nable to acquire lock'* | *'unable to release database lock'*)
      why='Another replica of Mosaic brings the database up to date'
      ;;
    *E_DATABASE_UNREACHABLE*)
      why='The database does not answer yet'
      ;;
    *) deadline=0 ;;
  esac
  if [ "$(date +%s)" -ge "$deadline" ]; then
    printf '%s\n' "$said" >&2
    exit 1
  fi
  echo "$why: waiting" >&2
  sleep 1
done
printf '%s\n' "$said" >&2

# Where an engine is given, agents run in containers of it, without a way to the machine that it runs on.
# Whatever an admin chose before stays.
if [ -n "${DOCKER_HOST:-}" ]; then
  node bin/console.js settings:set runtime.driver docker --if-unset >&2 &
  driver=$!
  node bin/console.js settings:set docker.egress sealed --if-unset >&2
  wait "$driver"
fi

exec node bin/server.js
