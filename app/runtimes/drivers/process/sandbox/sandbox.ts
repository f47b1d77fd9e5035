import { spawnSync } from 'node:child_process'
import type { AgentUser } from '#runtimes/drivers/process/agent_folder'
import { AGENT_HOST, SYSTEM_PATH } from '#runtimes/launch'
import { quoted } from '#runtimes/drivers/process/sandbox/shell'
import {
  ADDRESS_BITS,
  agentAddress,
  BRIDGE,
  GATE_ADDRESS,
  hardwareAddress,
  type Gate,
} from '#runtimes/drivers/process/sandbox/gate'
import { AGENT_AT, type Mount } from '#runtimes/drivers/process/sandbox/view'

/**
 * Namespaces created by `unshare`: network, mounts, host name, processes and semaphores. All end with the
 * first process, which ends with `unshare`.
 */
export const UNSHARE = [
  ...['--net', '--mount', '--uts', '--ipc', '--pid'],
  ...['--fork', '--kill-child=SIGKILL'],
]

/** Folders that all users share: sockets of services, files, memory. */
const SHARED = ['/tmp', '/var/tmp', '/dev/shm', '/run', '/var/run']
/** World-writable folders. */
const OPEN = new Set(['/tmp', '/var/tmp', '/dev/shm'])
const SHARED_SIZE = '128m'

const TRIAL_MS = 5000

export interface SandboxInput {
  gate: Gate
  user: AgentUser
  /** The folder of all agents, which is hidden from the agent. */
  agents: string
  /** The agent's own folder on the machine; null for a probe, which has none. */
  folder: string | null
  /** The initial working directory, as the agent sees it. */
  workingFolder: string
  /** Its folder and programs. */
  mounts: Mount[]
  /** The name servers it may use to reach the internet; null if it must not. */
  nameServers: string[] | null
  /** Files that put it under limits, as returned by `AgentCgroups.prepare`. */
  cgroups: string[]
  /** The limit of its user's processes and threads if no cgroup enforces it, else null. */
  processes: number | null
  command: string[]
}

/**
 * Returns the script that `unshare` runs as root in the first process: it sets up the agent's view,
 * reports readiness on descriptor 3 with its own pid on the machine, and then becomes the agent's first
 * process.
 */
export function sandboxScript(input: SandboxInput): string {
  const { user, workingFolder, cgroups, processes, command } = input
  const words = [workingFolder, ...command].map(quoted).join(' ')
  return [
    'set -eu',
    // The agent must pass the folders that are made for its mounts.
    'umask 022',
    // Errors here go to Mosaic; the log belongs to the agent.
    'exec 4>&2 2>&3',
    'read -r pid rest </proc/self/stat',
    ...cgroups.map((file) => `echo 0 >${quoted(file)}`),
    'names=$(readlink -m /etc/resolv.conf)',
    ...networkOf(input),
    ...mountsOf(input),
    `mkdir ${ROOT}`,
    `mount --rbind / ${ROOT}`,
    'echo "ready $pid" >&3',
    'exec 2>&4 3>&- 4>&-',
    `exec setsid chroot ${ROOT} ${becoming(user, processes)} /bin/sh -c ${quoted(FIRST_PROCESS)} agent ${words}`,
  ].join('\n')
}

/** The first process: it reaps orphans, as it must, and ends with the agent. */
const FIRST_PROCESS = 'cd "$1" && shift && { "$@" & wait "$!"; }'

/**
 * A second mount of the tree as the agent's root. The kernel refuses user namespaces to processes whose
 * root differs from their mount namespace's; in one, the agent would be root over much of the kernel's
 * code.
 */
const ROOT = '/run/root'

/** Command prefix: the kernel kills the command when its parent ends, even by SIGKILL. */
export const ENDING_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL']

/** The kernel drops the signal of `--kill-child` at the change of users, so it is set again after that. */
function becoming({ uid, gid }: AgentUser, processes: number | null): string {
  const ids = `--reuid ${uid} --regid ${gid} --clear-groups`
  const limit = processes === null ? '' : `prlimit --nproc=${processes}:${processes} `
  const privileges = '--no-new-privs --inh-caps=-all --bounding-set=-all'
  return `${limit}${ENDING_WITH_PARENT.join(' ')} ${ids} ${privileges}`
}

/**
 * Returns commands for a veth pair to the gate. The agent can neither change its end nor sniff or spoof
 * others' traffic.
 */
function networkOf({ gate, user, nameServers }: SandboxInput): string[] {
  const port = `a${user.uid}`
  return [
    'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || :',
    // The interface of an earlier start may linger: the kernel removes a network asynchronously.
    `ip -n ${gate.name} link delete ${port} 2>/dev/null || :`,
    `ip -batch - <<'COMMANDS'`,
    'link set lo up',
    `link add eth0 address ${hardwareAddress(user.uid)} type veth peer name ${port} netns ${gate.name}`,
    `addr add ${agentAddress(user.uid)}/${ADDRESS_BITS} dev eth0`,
    'link set eth0 up',
    ...(nameServers ? [`route add default via ${GATE_ADDRESS}`] : []),
    'COMMANDS',
    `ip -n ${gate.name} -batch - <<'COMMANDS'`,
    `link set ${port} addrgenmode none`,
    `link set ${port} master ${BRIDGE}`,
    `link set ${port} type bridge_slave isolated on`,
    `link set ${port} up`,
    'COMMANDS',
  ]
}

/**
 * Returns commands that mount empty folders over shared ones, and then mount the agent's folder and
 * programs where it sees them.
 */
function mountsOf({ agents, folder, mounts, nameServers }: SandboxInput): string[] {
  const all = [...SHARED, agents]
  // A folder inside another hidden one is hidden with it.
  const hidden = all.filter((root) => !all.some((other) => isIn(root, other)))
  const needed = mounts.filter(
    ({ path, at }) => at !== path || hidden.some((root) => isIn(path, root))
  )
  // Shells support only one-digit descriptors; 3 and 4 are taken, and 9 is for the cgroups.
  const held = needed.map(({ path, at }, index) => ({
    path,
    at: quoted(at),
    descriptor: 5 + index,
  }))
  return [
    ...held.map(({ path, descriptor }) => `exec ${descriptor}<${quoted(path)}`),
    ...hidden.map((root) => emptied(quoted(root), OPEN.has(root) ? '1777' : '0755')),
    ...held.flatMap(({ at, descriptor }) => putBack(at, descriptor)),
    ...(folder ? formerPath(folder) : []),
    ...namesOf(nameServers ?? []),
    ...HOST,
    ...DEVICES,
    NETWORK_DEVICES,
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    NAME_HOST,
  ]
}

/**
 * A link at the folder's path on the machine: files that the agent made before it saw a neutral path
 * may name it, such as a Python environment's.
 */
function formerPath(folder: string): string[] {
  return [`mkdir -p "$(dirname ${quoted(folder)})"`, `ln -s ${AGENT_AT} ${quoted(folder)}`]
}

/** A neutral name, since OpenClaw tells its host to the provider. Must resolve: programs look up their own host. */
const HOST = [
  `echo '127.0.0.1 localhost ${AGENT_HOST}' >/run/hosts`,
  `echo ${AGENT_HOST} >/run/hostname`,
  ...['hosts', 'hostname'].map(
    (name) => `[ ! -f /etc/${name} ] || mount --bind /run/${name} /etc/${name}`
  ),
]

/** Writes to a new `/proc`: the machine's may be read-only. */
const NAME_HOST = `echo ${AGENT_HOST} >/proc/sys/kernel/hostname`

/** Private terminals and queues: the machine has only a few thousand for all. */
const DEVICES = [
  '[ ! -d /dev/pts ] || mount -t devpts -o newinstance,nosuid,noexec,mode=600,ptmxmode=666,max=256 devpts /dev/pts',
  '[ ! -d /dev/mqueue ] || mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue',
]

/**
 * Replaces the machine's network devices with the sandbox's, because their names and counters reveal
 * others. The cgroups are mounted again, since programs read their memory limit there. Not every
 * machine allows this.
 */
const NETWORK_DEVICES = `if [ -d /sys/fs/cgroup ]; then
  exec 9</sys/fs/cgroup
  if mount -t sysfs -o nosuid,nodev,noexec sysfs /sys 2>/dev/null; then
    mount --no-canonicalize --rbind /proc/self/fd/9 /sys/fs/cgroup
  fi
  exec 9<&-
fi`

/**
 * Replaces the machine's resolv.conf, which may be in a hidden folder or name a stub that only the
 * machine reaches.
 */
function namesOf(nameServers: string[]): string[] {
  const lines = nameServers.map((server) => quoted(`nameserver ${server}`)).join(' ')
  return [
    `printf '%s\\n' ${lines} >/run/resolv.conf`,
    'case "$names" in',
    '/run/resolv.conf) ;;',
    '/run/*|/var/run/*) mkdir -p "$(dirname "$names")"; cp /run/resolv.conf "$names" ;;',
    '*) [ ! -f "$names" ] || mount --bind /run/resolv.conf "$names" ;;',
    'esac',
  ]
}

function emptied(folder: string, mode: string): string {
  const options = `nosuid,nodev,size=${SHARED_SIZE},mode=${mode}`
  return `[ ! -d ${folder} ] || [ -L ${folder} ] || mount -t tmpfs -o ${options} mosaic ${folder}`
}

/** Mounts by descriptor, because the path leads to the empty folder by now. */
function putBack(path: string, descriptor: number): string[] {
  const held = `/proc/self/fd/${descriptor}`
  return [
    `mkdir -p "$(dirname ${path})"`,
    `if [ -d ${held}/. ]; then mkdir ${path}; else : >${path}; fi`,
    `mount --no-canonicalize --bind ${held} ${path}`,
    `exec ${descriptor}<&-`,
  ]
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`)
}

let usable: boolean | null = null

/** Whether this process can create sandboxes: it is root on Linux, and the kernel and the system allow it. */
export function canSandbox(): boolean {
  usable ??=
    process.platform === 'linux' &&
    process.geteuid?.() === 0 &&
    spawnSync('unshare', [...UNSHARE, '/bin/sh', '-euc', TRIAL], {
      timeout: TRIAL_MS,
      env: { PATH: SYSTEM_PATH },
      cwd: '/',
    }).status === 0
  return usable
}

/** The programs that make sandboxes. */
export const PROGRAMS = [
  'chroot',
  'ip',
  'mount',
  'nsenter',
  'prlimit',
  'setpriv',
  'setsid',
  'unshare',
]

/** Tests everything that sandboxes and the gate require, in namespaces that end with the script. */
const TRIAL = `
  for program in ${PROGRAMS.join(' ')}; do command -v "$program"; done
  ${ENDING_WITH_PARENT.join(' ')} true
  mount -t tmpfs mosaic /tmp
  ip link add bridge0 type bridge
  ip link add eth0 type veth peer name a0
  ip link set a0 master bridge0
  ip link set a0 type bridge_slave isolated on
  ${DEVICES.join('\n  ')}
  mount -t proc proc /proc
  ${NAME_HOST}
  mkdir /tmp/root
  mount --rbind / /tmp/root
  chroot /tmp/root true`
