/**
 * Finds processes that a test run started and did not stop. Every run works below its own folder, and
 * everything it starts names that folder: as its working folder, in its arguments or in its environment.
 */
import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const CGROUPS = '/sys/fs/cgroup'

/**
 * @param {string} folder
 * @returns {{ pid: number, name: string }[]} Processes at work below the folder; none without /proc.
 */
export function leftovers(folder) {
  return processIds()
    .filter((pid) => pid !== process.pid && traces(pid).some((trace) => trace.includes(folder)))
    .map((pid) => ({ pid, name: readable(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trim() }))
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
  const groups = readable(() => readFileSync(join(proc, `${pid}`, 'cgroup'), 'utf8'))
  const path = /^\d+:freezer:(\/.+)$/m.exec(groups)?.[1]
  if (!path) return
  try {
    writeFileSync(join(cgroups, 'freezer', path, 'freezer.state'), 'THAWED', { flag: 'r+' })
  } catch {
    // It ended meanwhile, and its group with it.
  }
}

/** @returns {number[]} None without /proc. */
export function processIds() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

/** @returns {string[]} Where a process names the folder that it works below. */
export function traces(pid) {
  return [
    readable(() => readlinkSync(`/proc/${pid}/cwd`)),
    readable(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    readable(() => readFileSync(`/proc/${pid}/environ`, 'utf8')),
  ]
}

/** A process may end meanwhile, and other users' processes are not readable. */
function readable(read) {
  try {
    return read()
  } catch {
    return ''
  }
}
