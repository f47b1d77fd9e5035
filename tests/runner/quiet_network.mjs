import { inPath } from './system.mjs'

/**
 * A network of loopback alone, with a public address of the machine that agents must not reach, and its own names of
 * networks: whoever clears those of others removes their rules from the wrong machine.
 */
const SET_UP = `ip link set lo up && ip address add 198.51.100.1/32 dev lo &&
  mkdir -p /run/netns && mount -t tmpfs none /run/netns`

/**
 * Returns the words before a command that give it a network of its own; none if unsupported here.
 *
 * @returns {string[]}
 */
export function quietNetwork() {
  if (process.getuid?.() !== 0 || inPath('unshare').length === 0 || inPath('ip').length === 0) {
    return []
  }
  return ['unshare', '--net', '--mount', '--', 'sh', '-c', `${SET_UP} && exec "$@"`, 'sh']
}
