/**
 * Finds processes that a test run started and did not stop. Every run works below its own folder, and
 * everything it starts names that folder: as its working folder, in its arguments or in its environment.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/**
 * @param {string} folder
 * @returns {{ pid: number, name: string }[]} Processes at work below the folder; none without /proc.
 */
export function leftovers(folder) {
  return processIds()
    .filter((pid) => pid !== process.pid && traces(pid).some((trace) => trace.includes(folder)))
    .map((pid) => ({ pid, name: readable(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trim() }))
}

/** Kills them at once: they had their chance to stop gracefully. */
export function endLeftovers(found) {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
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
