#!/bin/sh
# Sets the packet filter between agents and everything else on one node of a swarm, and sets it again while it runs.
# Uses the node's own iptables: an engine has one, and images need none. Its environment has the rules, as
# iptables-restore takes them, and the jumps to them, one `<table> <chain> <rule …>` a line.
set -u

node=/node
for folder in bin sbin lib lib32 lib64; do
  [ -d "$node/usr/$folder" ] && ln -sfn "usr/$folder" "$node/$folder"
done
mkdir -p "$node/run"

for iptables in iptables-nft iptables iptables-legacy none; do
  [ "$iptables" = none ] && { echo 'guard: the node has no iptables that works' >&2; sleep 10; exit 1; }
  chroot "$node" "/usr/sbin/$iptables" -w 5 -t mangle -S FORWARD >/dev/null 2>&1 && break
done

jump() {
  table=$1
  chain=$2
  shift 2
  chroot "$node" "/usr/sbin/$iptables" -w 5 -t "$table" -C "$chain" "$@" 2>/dev/null ||
    chroot "$node" "/usr/sbin/$iptables" -w 5 -t "$table" -I "$chain" "$@"
}

apply() {
  printf '%s\n' "$MOSAIC_RULES" |
    chroot "$node" "/usr/sbin/$iptables-restore" --wait 5 --noflush || return 1
  while read -r table chain rule; do
    # Rules have no quotes, so that words are split at spaces.
    # shellcheck disable=SC2086
    jump "$table" "$chain" $rule || return 1
  done <<JUMPS
$MOSAIC_JUMPS
JUMPS
  # Bridges have link-local addresses of IPv6. Without IPv6 there is nothing to close.
  ip6=$(echo "$iptables" | sed 's/^ip/ip6/')
  six() { chroot "$node" "/usr/sbin/$ip6" -w 5 "$@" 2>/dev/null; }
  six -C INPUT -i "$MOSAIC_BRIDGE" -j DROP || six -I INPUT -i "$MOSAIC_BRIDGE" -j DROP || true
}

# Tells how much of the node's memory is in use, for the page that shows its capacity.
report() {
  total=0
  available=0
  while read -r key kibibytes _; do
    case $key in
      MemTotal:) total=$kibibytes ;;
      MemAvailable:) available=$kibibytes ;;
    esac
  done </proc/meminfo
  echo "memory $MOSAIC_NODE $((total - available)) $(date +%s)"
}

round=0
while :; do
  if apply; then : >/tmp/ready; else rm -f /tmp/ready; fi
  [ $((round % 3)) -eq 0 ] && report
  round=$((round + 1))
  sleep 20 &
  wait $!
done
