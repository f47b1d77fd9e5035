/** How the supervisor runs Podman behind its Docker interface. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What Podman and its programs keep for the whole machine: here each run has its own. */
const STATE = ['/run/netns', '/run/libpod', '/run/crun', '/run/runc', '/run/containers']

/** crun refuses machines that have both generations of control groups, the second without a use. */
const UNUSED_CGROUPS = '/sys/fs/cgroup/unified'

const configIn = (folder) => join(folder, 'containers.conf')
const networksIn = (folder) => join(folder, 'networks')

/** Mounts are seen in the namespace of the supervisor alone. */
export async function prepare(folder) {
  for (const place of STATE) {
    mkdirSync(place, { recursive: true })
    run('mount', '-t', 'tmpfs', 'tmpfs', place)
  }
  if (existsSync(UNUSED_CGROUPS)) run('umount', UNUSED_CGROUPS)
  mkdirSync(networksIn(folder))
  // No systemd is asked for anything, and locks are files: shared memory would be the machine's.
  const config = [
    '[containers]',
    'default_sysctls = []',
    '[engine]',
    'cgroup_manager = "cgroupfs"',
    'events_logger = "file"',
    'lock_type = "file"',
    '[network]',
    'network_backend = "netavark"',
    `network_config_dir = "${networksIn(folder)}"`,
  ]
  writeFileSync(configIn(folder), config.join('\n'))
}

/**
 * @param {string} folder
 * @param {string} socket Where it is to answer.
 */
export function words(folder, socket) {
  return [
    ['env', `CONTAINERS_CONF=${configIn(folder)}`, 'podman', '--log-level', 'warn'],
    ['--root', join(folder, 'data', 'containers')],
    ['--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'libpod')],
    ['system', 'service', '--time', '0', `unix://${socket}`],
  ].flat()
}

function run(program, ...args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`)
}
