import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, node24, withNode24 } from '../../bin/setup/node24.mjs'
import { described, endLeftovers, lastingLeftovers } from './leftovers.mjs'

/** A suite that hangs must not block the machine. The longest takes half of this, on two busy cores. */
const SUITE_DEADLINE_MS = 60 * 60_000

/** From the last test until the process must be gone: anything still open was never closed. */
const CLOSE_DEADLINE_MS = 30_000
const LOOK_EVERY_MS = 500

/** From the request to stop until a suite is killed: it stops its agents meanwhile. */
const END_GRACE_MS = 10_000

/** @typedef {{ file: string, from: number, to: number }} SpecSpan When a spec file ran, in ms since 1970. */

/** One run of a Japa suite, in its own process group. */
export class SuiteRun {
  #child
  #folder
  #inside
  #output

  /**
   * @param {{ suite: string, title: string, env: Record<string, string>, folder: string, inside?: string[],
   * output?: string | null }} input `inside`: command prefix that says where it runs. `output`: the
   * file for its output, in place of this process's own output.
   */
  constructor({ suite, title, env, folder, inside = [], output = null }) {
    this.suite = suite
    this.title = title
    this.env = env
    this.#folder = folder
    this.#inside = inside
    this.#output = output
  }

  /**
   * @param {string[]} flags For Japa.
   * @returns {Promise<{ passed: number, failed: number, notes: string[], files: SpecSpan[] }>}
   */
  async run(flags) {
    const tally = join(this.#folder, 'tally.json')
    const temporary = join(this.#folder, 'tmp')
    mkdirSync(temporary)
    const runtime = ['--import=@poppinss/ts-exec', '--enable-source-maps']
    const words = [...this.#inside, node24(), ...runtime, 'bin/test.ts', this.suite, ...flags]
    const output = this.#output ? openSync(this.#output, 'w') : 'inherit'
    this.#child = spawn(words[0], words.slice(1), {
      cwd: ROOT,
      env: { ...withNode24(), ...this.env, TMPDIR: temporary, MOSAIC_TEST_TALLY: tally },
      stdio: ['ignore', output, output],
      detached: true,
    })
    if (this.#output) closeSync(output)
    const late = this.#watch(tally)
    const status = await new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('exit', (code, signal) => resolve(signal ?? code))
    })
    const result = counted(tally, status)
    if (late.reason) result.notes.push(late.reason)
    late.stop()
    this.#signal('SIGKILL')

    const left = await lastingLeftovers(this.#folder)
    endLeftovers(left)
    if (left.length > 0) {
      result.failed += 1
      result.notes.unshift(...described(left, result.files))
    }
    return result
  }

  /** Known as soon as `run` was called. */
  get pid() {
    return this.#child.pid
  }

  /** Stops a run that takes too long, or that has finished its tests but does not exit. */
  #watch(tally) {
    const startedAt = Date.now()
    let doneAt = null
    const watch = { reason: null, stop: () => clearInterval(timer) }
    const timer = setInterval(() => {
      if (watch.reason) return
      if (!doneAt && existsSync(tally)) doneAt = Date.now()
      if (Date.now() - startedAt > SUITE_DEADLINE_MS) {
        watch.reason = `ended after ${SUITE_DEADLINE_MS / 60_000} minutes`
      } else if (doneAt && Date.now() - doneAt > CLOSE_DEADLINE_MS) {
        watch.reason = 'its tests were over, and something they opened kept it running'
      }
      if (watch.reason) this.end()
    }, LOOK_EVERY_MS)
    return watch
  }

  /** Asks it to stop, then kills it. */
  end() {
    this.#signal('SIGTERM')
    setTimeout(() => this.#signal('SIGKILL'), END_GRACE_MS).unref()
  }

  #signal(name) {
    try {
      process.kill(-this.#child.pid, name)
    } catch (error) {
      if (error.code !== 'ESRCH') throw error
    }
  }
}

/** Compares the suite's own count with how its process ended. */
function counted(tally, status) {
  if (!existsSync(tally)) {
    return { passed: 0, failed: 1, notes: [`ended early (${status})`], files: [] }
  }

  const { passed, failed, errors, files } = JSON.parse(readFileSync(tally, 'utf8'))
  const notes = errors.map((error) => `failed: ${error}`)
  if (passed + failed === 0) return { passed, failed: 1, notes: [...notes, 'ran no test'], files }
  if (failed === 0 && status !== 0) {
    return { passed, failed: 1, notes: [...notes, `ended with ${status}`], files }
  }
  return { passed, failed, notes, files }
}
