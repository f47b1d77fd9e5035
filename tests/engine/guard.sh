#!/bin/sh
# Runs a program as the first process of namespaces of its own (network, mounts, process ids, host name), and clears
# away after it. The kernel ends whatever is left in the namespaces together with that program, so an
# engine in them leaves no container, no mount and no network behind, however it ends. This script is
# outside and outlives whoever started it: closing standard input is what ends the program.
#
# GUARD_HOST_NAME, if set, is the host name in there.
#
# Usage: guard.sh <folder> <cgroup> <program> [argument …]
#   <folder>  written to `init.pid`: the program's process id, as seen from here. Removed at the end.
#   <cgroup>  name of the control group that the engine puts its containers in. Removed at the end.
set -u
folder=$1
cgroup=$2
shift 2

# The new /proc is mounted after the look at the old one, which still knows the outer process id.
# shellcheck disable=SC2016
unshare --net --uts --mount --propagation slave --pid --fork --kill-child -- sh -c '
  folder=$1
  shift
  read -r pid rest </proc/self/stat
  echo "$pid" >"$folder/init.pid"
  mount -t proc proc /proc
  ip link set lo up
  [ -z "${GUARD_HOST_NAME:-}" ] || echo "$GUARD_HOST_NAME" >/proc/sys/kernel/hostname
  mkdir "$folder/data"
  # Where memory is plentiful, images and volumes live there: they are written once and then thrown away.
  available=$(sed -n "s/^MemAvailable: *\([0-9]*\).*/\1/p" /proc/meminfo)
  [ "$available" -lt 8000000 ] || mount -t tmpfs -o mode=711,size=6g tmpfs "$folder/data"
  exec "$@"
' sh "$folder" "$@"
status=$?

# A control group with a dying process in it cannot be removed yet.
for attempt in 1 2 3 4 5; do
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
  [ -z "$(find /sys/fs/cgroup -type d -name "$cgroup" 2>/dev/null)" ] && break
  sleep 0.2
done
rm -rf --one-file-system "$folder"
exit "$status"
