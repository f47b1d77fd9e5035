import { spawnSync } from 'node:child_process'
import type { AgentUser } from '#runtimes/drivers/process/agent_folder'
import { SYSTEM_PATH } from '#runtimes/launch'
import { quoted } from '#runtimes/drivers/process/sandbox/shell'
import {
  ADDRESS_BITS,
  agentAddress,
  BRIDGE,
  GATE_ADDRESS,
  hardwareAddress,
  type Gate,
} from '#runtimes/drivers/process/sandbox/gate'

/** What `unshare` makes: own networks, mounts, processes and semaphores. All ends with its first process. */
export const UNSHARE = ['--net', '--mount', '--ipc', '--pid', '--fork', '--kill-child=SIGKILL']

/** Where programs of the machine leave what all users share: sockets of services, files, memory. */
const SHARED = ['/tmp', '/var/tmp', '/dev/shm', '/run', '/var/run']
/** Everybody may write there. */
const OPEN = new Set(['/tmp', '/var/tmp', '/dev/shm'])
const SHARED_SIZE = '128m'

const TRIAL_MS = 5000

export interface SandboxInput {
  gate: Gate
  user: AgentUser
  /** The folder of all agents, which the agent does not see. */
  agents: string
  /** The agent's own folder, and the one it begins in. */
  folder: string
  workingFolder: string
  /** Files and folders that it needs besides, wherever they are; absolute and without links. */
  programs: string[]
  /** Those that it may ask on its way to the internet; null where it has no such way. */
  nameServers: string[] | null
  /** Files that put it under limits, as `AgentCgroups.prepare` gives them. */
  cgroups: string[]
  /** Processes and threads that its user may have, where no cgroup counts them; else null. */
  processes: number | null
  command: string[]
}

/**
 * The script that `unshare` runs as the first process, as root: it makes what the agent sees, says so on
 * descriptor 3 with its own pid as the machine knows it, and becomes the agent's first process.
 */
export function sandboxScript(input: SandboxInput): string {
  const { user, workingFolder, cgroups, processes, command } = input
  const words = [workingFolder, ...command].map(quoted).join(' ')
  return [
    'set -eu',
    // What goes wrong here is told to Mosaic; the log is the agent's.
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

/** Collects what its tools leave behind, as the first process has to, and ends with the agent. */
const FIRST_PROCESS = 'cd "$1" && shift && { "$@" & wait "$!"; }'

/**
 * The same tree once more, and the agent's root: the kernel gives who has another root than its mounts no user
 * namespace, in which it would be root over much of the kernel's code.
 */
const ROOT = '/run/root'

function becoming({ uid, gid }: AgentUser, processes: number | null): string {
  const ids = `--reuid ${uid} --regid ${gid} --clear-groups`
  const limit = processes === null ? '' : `prlimit --nproc=${processes}:${processes} `
  return `${limit}setpriv ${ids} --no-new-privs --inh-caps=-all --bounding-set=-all`
}

/** A cable to the gate. The agent may not change its end, nor listen to others or speak in their name. */
function networkOf({ gate, user, nameServers }: SandboxInput): string[] {
  const port = `a${user.uid}`
  return [
    'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || :',
    // One of a former start may linger: the kernel takes a network apart in its own time.
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

/** Empty folders in place of what is shared, with what the agent needs of it put back. */
function mountsOf({ agents, folder, programs, nameServers }: SandboxInput): string[] {
  const all = [...SHARED, agents]
  // A folder within another hidden one is hidden with it.
  const hidden = all.filter((root) => !all.some((other) => isIn(root, other)))
  // What lies within another that is put back is there already, as the machine's own.
  const needed = [...new Set([folder, ...programs])]
  const kept = needed.filter(
    (path) => hidden.some((root) => isIn(path, root)) && !needed.some((other) => isIn(path, other))
  )
  // A shell knows descriptors of one digit; 3 and 4 are taken.
  const held = kept.map((path, index) => ({ path: quoted(path), descriptor: 5 + index }))
  return [
    ...held.map(({ path, descriptor }) => `exec ${descriptor}<${path}`),
    ...hidden.map((root) => emptied(quoted(root), OPEN.has(root) ? '1777' : '0755')),
    ...held.flatMap(({ path, descriptor }) => putBack(path, descriptor)),
    ...namesOf(nameServers ?? []),
    ...DEVICES,
    NETWORK_DEVICES,
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
  ]
}

/** Terminals and queues of its own: of the machine's there are a few thousand for all. */
const DEVICES = [
  '[ ! -d /dev/pts ] || mount -t devpts -o newinstance,nosuid,noexec,mode=600,ptmxmode=666,max=256 devpts /dev/pts',
  '[ ! -d /dev/mqueue ] || mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue',
]

/**
 * The devices of the sandbox's network in place of the machine's, whose names and counters tell of others. The
 * cgroups are put back: programs read there how much memory they may use. Not every machine allows it.
 */
const NETWORK_DEVICES = `if [ -d /sys/fs/cgroup ]; then
  exec 9</sys/fs/cgroup
  if mount -t sysfs -o nosuid,nodev,noexec sysfs /sys 2>/dev/null; then
    mount --no-canonicalize --rbind /proc/self/fd/9 /sys/fs/cgroup
  fi
  exec 9<&-
fi`

/** The machine's own may lie in a hidden folder, and name a stub that only the machine reaches. */
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

/** By its descriptor: its name leads to the empty folder by now. */
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

/** Whether this process can make sandboxes: it is root on Linux, with the kernel's and the system's consent. */
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

/** All that a sandbox and the gate are made of, in namespaces that end with it. */
const TRIAL = `
  for program in chroot ip nsenter prlimit setpriv setsid; do command -v "$program"; done
  mount -t tmpfs mosaic /tmp
  ip link add bridge0 type bridge
  ip link add eth0 type veth peer name a0
  ip link set a0 master bridge0
  ip link set a0 type bridge_slave isolated on
  ${DEVICES.join('\n  ')}
  mount -t proc proc /proc
  mkdir /tmp/root
  mount --rbind / /tmp/root
  chroot /tmp/root true`
