/** Finds processes by what the kernel tells of them in `/proc`: elsewhere there are none. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Clock ticks of /proc per second. */
const TICKS = 100

/** @returns {number[]} None without /proc. */
export function processIds() {
  return readable(() => readdirSync('/proc'), [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/**
 * @param {string} folder
 * @returns {(pid: number) => boolean} Whether a process names that folder or one below it, as what it works in, as
 * an argument or in its environment. A folder whose name only begins alike is another's.
 */
export function naming(folder) {
  const named = new RegExp(`${RegExp.escape(folder)}(?![\\w.-])`)
  return (pid) =>
    [
      readable(() => readlinkSync(`/proc/${pid}/cwd`)),
      read(pid, 'cmdline'),
      read(pid, 'environ'),
    ].some((text) => named.test(text))
}

/**
 * @param {string} folder
 * @returns {(pid: number) => boolean} Whether a process works in or below a folder, was started for it, or is in a
 * sandbox with something of it.
 */
export function belongingTo(folder) {
  const place = placeOf(folder)
  const names = naming(folder)
  return (pid) => names(pid) || isMounted(pid, place)
}

/**
 * @param {string} folder
 * @returns {number[]} Those that belong to it.
 */
export function processesOf(folder) {
  return processIds().filter(belongingTo(folder))
}

/**
 * @param {number[]} pids
 * @returns {number[]} With all that they started, unless that lost its parent meanwhile.
 */
export function withDescendants(pids) {
  const parents = new Map(processIds().map((pid) => [pid, statOf(pid)?.parent]))
  const all = new Set(pids)
  for (let size = 0; size !== all.size;) {
    size = all.size
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid)
  }
  return [...all]
}

/** @returns {{ state: string, parent: number, startedAt: number } | null} `startedAt` in ms since 1970. */
export function statOf(pid) {
  const text = read(pid, 'stat')
  if (!text) return null
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const upSec = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])
  const startedAt = Math.round(Date.now() - 1000 * (upSec - Number(fields[19]) / TICKS))
  return { state: fields[0], parent: Number(fields[1]), startedAt }
}

/** @returns {string} Empty if it has ended or is another user's. */
export function read(pid, name, proc = '/proc') {
  return readable(() => readFileSync(join(proc, `${pid}`, name), 'utf8'))
}

/** @returns {{ device: string, root: string, at: string }[]} `root`: the folder of the device that is mounted. */
function mountsOf(pid) {
  return read(pid, 'mountinfo')
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, , device, root, at] = line.split(' ')
      return { device, root, at }
    })
}

/**
 * A sandbox shows its agent neutral paths; its mounts still name the folders behind them. A mount of the
 * folder itself that this process has too belongs to the machine, and so does the copy of one below another root,
 * as every sandbox has it while it is made.
 */
function isMounted(pid, place) {
  if (!place || namespaceOf(pid) === namespaceOf('self')) return false
  const isOwn = (mount) => place.own.some(({ at }) => mount.at.endsWith(at))
  return mountsOf(pid).some(
    (mount) =>
      mount.device === place.device &&
      (isIn(mount.root, place.root) || (mount.root === place.root && !isOwn(mount)))
  )
}

function namespaceOf(pid) {
  return readable(() => readlinkSync(`/proc/${pid}/ns/mnt`))
}

/** Where the folder is in its file system, which may be mounted for it alone. */
function placeOf(folder) {
  const mounts = mountsOf('self')
  const above = mounts.filter(({ at }) => at === folder || isIn(folder, at))
  if (above.length === 0) return null
  const { device, root, at } = above.reduce((one, other) =>
    other.at.length >= one.at.length ? other : one
  )
  const place = { device, root: join(root, relative(at, folder)) }
  const own = mounts.filter((mount) => mount.device === device && mount.root === place.root)
  return { ...place, own }
}

function isIn(path, folder) {
  return path !== folder && path.startsWith(folder.replace(/\/?$/, '/'))
}

/** A process may end meanwhile, and other users' processes are not readable. */
function readable(look, otherwise = '') {
  try {
    return look()
  } catch {
    return otherwise
  }
}
