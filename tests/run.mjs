/**
 * `npm test` and its parts. Works from a fresh clone: what is missing is installed, PostgreSQL runs
 * from a temporary folder, and nothing is left running. The last line is `N passed, N failed`.
 *
 * Suites that do not meet run side by side, `--one-lane` runs them one after another. `--timings` prints how
 * long each suite took, the processor time that it used with all that it started, and its costliest files; at the
 * end the same of the whole run, with what was prepared for the suites.
 */
import { chmodSync, createReadStream, mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Terminal } from '../bin/setup/terminal.mjs'
import { SetupFailure } from '../bin/setup/failure.mjs'
import { install, isInstalled } from '../bin/setup/packages.mjs'
import { ROOT, continueWithNode24, isNode24 } from '../bin/setup/node24.mjs'
import { SuiteRun } from './runner/suite_run.mjs'
import { specFiles } from './runner/spec_files.mjs'
import { SuiteWatch } from './runner/suite_watch.mjs'
import { LANES, PARTS } from './runner/parts.mjs'
import { Preparation } from './runner/preparation.mjs'
import { Schedule } from './runner/schedule.mjs'
import { quietNetwork } from './runner/quiet_network.mjs'

const USAGE = `Usage: node tests/run.mjs [part …] [--driver name] [--one-lane] [--timings] [flags for Japa, as --files or --tests]
Parts: ${Object.keys(PARTS).join(', ')}`

class TestRun {
  #terminal = new Terminal()
  #folder = mkdtempSync(join(tmpdir(), 'mosaic-run-'))
  #preparation = new Preparation()
  #schedule = null
  #running = new Set()
  #stopped = false
  #printed = Promise.resolve()

  constructor() {
    /** Agents under users of their own reach their folders through this one. */
    chmodSync(this.#folder, 0o755)
    /** All that is started compiles the same files; nobody else can write to this folder. */
    process.env.NODE_COMPILE_CACHE = join(this.#folder, 'compiled')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        this.#stopped = true
        this.#end()
      })
    }
  }

  /** @returns {Promise<number>} The status to end with. */
  async run(parts, { flags, timings, oneLane, ...selection }) {
    const named = [selection.driver, ...selection.wanted].join().toLowerCase()
    const runs = parts
      .flatMap((part) => PARTS[part].map((run) => ({ part, ...run })))
      .filter(({ word }) => !word || named.includes(word))
      .map((run) => ({ ...run, files: specFiles({ ...run, ...selection }) }))
      .filter(({ files }) => files.length > 0)
    if (runs.length === 0) throw new SetupFailure('No spec file is named so.')
    const outcomes = []
    const shown = oneLane || runs.length === 1
    const work = async (run) => {
      outcomes.push(await this.#runSuite(run, { flags, timings, shown }))
    }
    this.#schedule = new Schedule(runs, { places: oneLane ? 1 : LANES, work })
    const watch = timings ? new SuiteWatch({ folder: this.#folder, roots: [process.pid] }) : null
    try {
      await this.#prepareAndRun(new Set(runs.flatMap(({ needs }) => needs)), shown)
      this.#report(outcomes)
      for (const line of watch?.lines([]) ?? []) this.#terminal.line(`all of it ${line}`)
    } finally {
      await this.#preparation.stop()
      rmSync(this.#folder, { recursive: true, force: true })
    }
    const sum = (count) => outcomes.reduce((all, outcome) => all + outcome[count], 0)
    const failed = sum('failed') + (this.#stopped ? 1 : 0)
    this.#terminal.line(`${sum('passed')} passed, ${failed} failed`)
    return failed === 0 ? 0 : 1
  }

  /** Unless their output is shown, suites begin while what others need is still installed. */
  async #prepareAndRun(needs, shown) {
    await this.#preparation.makeCode(needs, this.#terminal)
    this.#schedule.add('build')
    const isReady = (need) => this.#schedule.add(need)
    if (shown) {
      await this.#preparation.meet(needs, this.#terminal, isReady)
      return this.#schedule.run()
    }
    /** A bar that moves would overwrite what suites print meanwhile. */
    const lines = new Terminal({ write: (text) => process.stdout.write(text) })
    const prepared = this.#preparation.meet(needs, lines, isReady).catch((error) => {
      this.#end()
      throw error
    })
    const ended = await Promise.allSettled([prepared, this.#schedule.run()])
    for (const { reason } of ended) if (reason) throw reason
  }

  #end() {
    this.#schedule?.stop()
    for (const run of this.#running) run.end()
  }

  /** @param {{ shown: boolean }} how `shown`: its output as it comes, else all of it once it has ended. */
  async #runSuite({ part, on, needs, files, alone }, { flags, timings, shown }) {
    const title = on ? `${part} on ${on}` : part
    // Letters alone: codex takes the comma in a path for the end of one and the beginning of another.
    const folder = join(this.#folder, title.replaceAll(/\W+/g, '-'))
    mkdirSync(folder)
    const env = { ...this.#preparation.env }
    const engine = needs.map((need) => this.#preparation.engines.get(need)).find(Boolean)
    if (engine) Object.assign(env, engine.env)
    if (needs.includes('postgres')) {
      env.DATABASE_URL = await this.#preparation.postgres.newDatabase('mosaic_functional')
    }
    const inside = alone ? quietNetwork() : (engine?.inside ?? [])
    const output = shown ? null : join(folder, 'output')
    const run = new SuiteRun({ suite: part, title, env, folder, inside, output })
    this.#running.add(run)
    this.#terminal.line(shown ? `\n${this.#terminal.strong(title)}` : `  … ${title}`)
    const ended = run.run([...files.flatMap((file) => ['--files', file]), ...flags])
    const roots = [run.pid, ...(engine?.pids ?? [])]
    const watch = timings ? new SuiteWatch({ folder, roots }) : null
    const outcome = await ended
    this.#running.delete(run)
    if (output) await this.#print(title, output)
    return { title, ...outcome, timings: watch?.lines(outcome.files) ?? [] }
  }

  /** The last one that is printed has to end before the next begins. */
  async #print(title, output) {
    this.#printed = this.#printed.then(async () => {
      this.#terminal.line(`\n${this.#terminal.strong(title)}`)
      for await (const chunk of createReadStream(output)) process.stdout.write(chunk)
    })
    await this.#printed
  }

  /** Suites with failures last: the end of a long output is what people read. */
  #report(outcomes) {
    this.#terminal.line()
    const inOrder = outcomes.toSorted((one, other) => one.failed - other.failed)
    for (const { title, passed, failed, notes, timings } of inOrder) {
      this.#terminal.line(`${title}: ${passed} passed, ${failed} failed`)
      for (const line of [...timings, ...notes]) this.#terminal.line(`  ${line}`)
    }
  }
}

/** Parts come first; `--driver`, `--files`, `--one-lane` and `--timings` are ours, any other flag is Japa's. */
function parse(args) {
  const parts = []
  const flags = []
  const wanted = []
  let driver = null
  let timings = false
  let oneLane = false
  for (let index = 0; index < args.length; index++) {
    const [name, value] = args[index].split('=')
    if (name === '--driver') driver = value ?? args[++index]
    else if (name === '--timings') timings = true
    else if (name === '--one-lane') oneLane = true
    else if (name === '--files') wanted.push(...(value ?? args[++index]).split(','))
    else if (name.startsWith('-')) flags.push(args[index])
    else if (flags.length > 0) flags.push(args[index])
    else if (Object.hasOwn(PARTS, name)) parts.push(name)
    else
      throw new SetupFailure(
        `There is no part "${name}".`,
        `Parts: ${Object.keys(PARTS).join(', ')}`
      )
  }
  const all = parts.length > 0 ? parts : Object.keys(PARTS)
  return { parts: all, driver, wanted, flags, timings, oneLane }
}

async function main(args) {
  if (args.includes('--help')) return console.log(USAGE)
  const { parts, ...options } = parse(args)
  if (!isInstalled(ROOT)) {
    await new Terminal().step('Packages', async (report) => {
      await install(ROOT, report)
      return 'installed'
    })
  }
  if (!isNode24()) return continueWithNode24([fileURLToPath(import.meta.url), ...args])
  process.exitCode = await new TestRun().run(parts, options)
}

await main(process.argv.slice(2)).catch((error) => {
  if (!(error instanceof SetupFailure)) throw error
  console.error([error.message, error.help].filter(Boolean).join('\n'))
  process.exitCode = 1
})
