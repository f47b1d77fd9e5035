/**
 * Finds processes that a test run started and did not stop. Every run works below its own folder, and
 * everything it starts names that folder: as its working folder, in its arguments or in its environment. An agent
 * in a sandbox does not, but it has something of the folder mounted, or a launcher that names it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { processesOf, read, statOf, withDescendants } from './processes.mjs'

const CGROUPS = '/sys/fs/cgroup'

/** The kernel takes a killed sandbox apart within a moment, which is longer on a busy machine. */
const ENDING_MS = 5000
const LOOK_EVERY_MS = 100

/** Characters of a command line: the end of a sandbox's script says what it runs. */
const SHOWN = 300

/**
 * @typedef {{ pid: number, name: string, parent: number, command: string, startedAt: number }} Leftover
 * `startedAt` in ms since 1970.
 */

/**
 * @param {string} folder
 * @returns {Leftover[]} Processes at work below the folder with all that they started; none without /proc.
 */
export function leftovers(folder) {
  const roots = processesOf(folder).filter((pid) => pid !== process.pid)
  return withDescendants(roots).flatMap((pid) => {
    const stat = statOf(pid)
    if (!stat || stat.state === 'Z' || stat.state === 'X') return []
    const { parent, startedAt } = stat
    return [{ pid, name: read(pid, 'comm').trim(), parent, command: commandOf(pid), startedAt }]
  })
}

/** As `leftovers`, without processes that are just about to end. */
export async function lastingLeftovers(folder, withinMs = ENDING_MS) {
  const deadline = performance.now() + withinMs
  for (;;) {
    const left = leftovers(folder)
    if (left.length === 0 || performance.now() > deadline) return left
    await after(LOOK_EVERY_MS)
  }
}

/**
 * @param {Leftover[]} left
 * @param {import('./suite_run.mjs').SpecSpan[]} files The suite's spec files, in the order in which they ended.
 * @returns {string[]} Who they are, who started them, and which spec ran then.
 */
export function described(left, files) {
  return left.map(({ pid, name, parent, command, startedAt }) => {
    const during = files.find(({ from, to }) => from <= startedAt && startedAt <= to)
    const last = files.at(-1)?.file
    const outside = last ? `outside of any spec; the last was ${last}` : 'before any spec ended'
    const when = during ? `during ${during.file}` : outside
    return `left running: ${name} (${pid}, child of ${parent}), started ${when}: ${command}`
  })
}

/**
 * Kills them at once: they had their chance to stop gracefully.
 *
 * @param {{ pid: number }[]} found
 * @param {{ proc?: string, cgroups?: string }} [places] Where the kernel's files are; tests have others.
 */
export function endLeftovers(found, places = {}) {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
      thaw(pid, places)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}

/** A process in a frozen cgroup of version 1, as a resting agent's, dies of no signal until it thaws. */
function thaw(pid, { proc = '/proc', cgroups = CGROUPS }) {
  const groups = read(pid, 'cgroup', proc)
  const path = /^\d+:freezer:(\/.+)$/m.exec(groups)?.[1]
  if (!path) return
  try {
    writeFileSync(join(cgroups, 'freezer', path, 'freezer.state'), 'THAWED', { flag: 'r+' })
  } catch {
    // It ended meanwhile, and its group with it.
  }
}

function commandOf(pid) {
  const words = read(pid, 'cmdline').replaceAll('\0', ' ').replaceAll(/\s+/g, ' ').trim()
  if (words.length <= SHOWN) return words
  const [begin] = words.split(' ', 1)
  return `${begin} … ${words.slice(-SHOWN)}`
}
