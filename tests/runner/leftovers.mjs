/**
 * Finds what a test run started and did not end. Every run works below a folder of its own, and
 * whatever it starts names that folder: as its working folder, in its arguments or its environment.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/**
 * @param {string} folder
 * @returns {{ pid: number, name: string }[]} Processes at work below the folder; none where /proc is not.
 */
export function leftovers(folder) {
  return processIds()
    .filter((pid) => pid !== process.pid && traces(pid).some((trace) => trace.includes(folder)))
    .map((pid) => ({ pid, name: readable(() => readFileSync(`/proc/${pid}/comm`, 'utf8')).trim() }))
}

/** Ends them at once: whoever had a claim on a gentle end had it before. */
export function endLeftovers(found) {
  for (const { pid } of found) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}

function processIds() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

function traces(pid) {
  return [
    readable(() => readlinkSync(`/proc/${pid}/cwd`)),
    readable(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
    readable(() => readFileSync(`/proc/${pid}/environ`, 'utf8')),
  ]
}

/** A process may end while it is looked at, and others' are not ours to read. */
function readable(read) {
  try {
    return read()
  } catch {
    return ''
  }
}
