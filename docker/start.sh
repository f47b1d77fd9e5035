#!/bin/sh
# Starts Mosaic in its container: migrates the database, then becomes the server. If several replicas start at
# once, one migrates and the others wait.
#
#   start.sh server            the server
#   start.sh <command> …       an ace command, such as "doctor" or "breakglass:create"
#
# A swarm's secret `mosaic_secret_key` stands for MOSAIC_SECRET_KEY where that is not set.
# MOSAIC_START_SEC: seconds to wait for the database, or for another replica to migrate (default and, for the latter,
# least: 120).
set -eu
cd "$(dirname "$0")/.."

key=/run/secrets/mosaic_secret_key
if [ -z "${MOSAIC_SECRET_KEY:-}" ] && [ -r "$key" ]; then
  MOSAIC_SECRET_KEY=$(cat "$key")
  export MOSAIC_SECRET_KEY
fi

if [ "${1:-server}" != server ]; then exec node bin/console.js "$@"; fi

deadline=$(($(date +%s) + ${MOSAIC_START_SEC:-120}))
until said=$(node bin/console.js migration:run --force 2>&1); do
  case $said in
    *E_DATABASE_MIGRATING*)
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

# With an engine configured, agents run in its containers, sealed from the machine's network. An admin's earlier
# choice stays.
if [ -n "${DOCKER_HOST:-}" ]; then
  node bin/console.js settings:set runtime.driver docker --if-unset >&2 &
  driver=$!
  node bin/console.js settings:set docker.egress sealed --if-unset >&2
  wait "$driver"
fi

# The flags of `npm start`.
exec node --min-semi-space-size=16 bin/server.js
