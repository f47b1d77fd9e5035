#!/bin/sh
# Runs the launcher in a service of a swarm, where nobody else watches the agent's container from near by:
# - tells a kill for lack of memory, which no swarm reports, by exit code 99;
# - holds the lease of data that several nodes reach, and ends the agent when it loses it. Nobody may write to the
#   data of an agent that the swarm has started elsewhere, because it lost this node.
#
# Environment, besides the launcher's
#   MOSAIC_LEASE   file of the lease, in the shared data; none for data that only this node reaches
#   MOSAIC_HOLDER  who holds it: the id of the swarm's task
#
# The lease needs no common clock: a new holder writes its name and waits LEASE_WAIT_SEC seconds, unless the former one
# has given the lease back. By then the former one has read another's name, or could not read at all, and has ended.
set -u

RENEW_SEC=2
LEASE_WAIT_SEC=6

holder() { cat "$MOSAIC_LEASE" 2>/dev/null; }

# Reads in another process: a file server that is away blocks its readers for ever.
read_in_time() {
  read=$(
    holder &
    reader=$!
    ( sleep "$RENEW_SEC"; kill -KILL "$reader" ) >/dev/null 2>&1 &
    limit=$!
    wait "$reader" 2>/dev/null
    kill -KILL "$limit" 2>/dev/null
  )
}

if [ -n "${MOSAIC_LEASE:-}" ]; then
  former=$(holder)
  echo "$MOSAIC_HOLDER" >"$MOSAIC_LEASE" || exit 1
  if [ -n "$former" ] && [ "$former" != free ]; then sleep "$LEASE_WAIT_SEC"; fi
  [ "$(holder)" = "$MOSAIC_HOLDER" ] || exit 1
fi

killed_for_memory() {
  cat /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control 2>/dev/null |
    grep -q '^oom_kill [1-9]'
}

sh /run/mosaic/entrypoint.sh &
agent=$!
trap 'kill -TERM "$agent" 2>/dev/null' TERM INT

if [ -n "${MOSAIC_LEASE:-}" ]; then
  (
    trap '' TERM INT
    while sleep "$RENEW_SEC"; do
      read_in_time
      [ "$read" = "$MOSAIC_HOLDER" ] && continue
      echo 'keeper: the data of this agent is in use at another node' >&2
      kill -KILL "$agent"
      exit
    done
  ) &
  watch=$!
fi

# A trapped signal ends `wait` while the agent still runs.
while :; do
  wait "$agent"
  status=$?
  kill -0 "$agent" 2>/dev/null || break
done

if [ -n "${MOSAIC_LEASE:-}" ]; then
  kill -KILL "$watch" 2>/dev/null
  [ "$(holder)" = "$MOSAIC_HOLDER" ] && echo free >"$MOSAIC_LEASE"
fi
if [ "$status" -eq 137 ] && killed_for_memory; then exit 99; fi
exit "$status"
