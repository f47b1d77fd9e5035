/**
 * `npm test` and its parts. Works from a fresh clone: what is missing is installed, PostgreSQL runs
 * from a temporary folder, and nothing is left running. The last line is `N passed, N failed`.
 *
 * Usage: node tests/run.mjs [part …] [--driver name] [--timings] [flags for Japa, as --files or --tests]
 *
 * `--timings` prints how long each suite took, how busy the processors were, and its slowest files.
 */
import { chmodSync, mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Terminal } from '../bin/setup/terminal.mjs'
import { command } from '../bin/setup/command.mjs'
import { SetupFailure } from '../bin/setup/failure.mjs'
import { install, isInstalled } from '../bin/setup/packages.mjs'
import { ROOT, continueWithNode24, isNode24, node24, withNode24 } from '../bin/setup/node24.mjs'
import { OPENCLAW_VERSION, installOpenClaw } from '../bin/install_openclaw.mjs'
import { PrivatePostgres } from './runner/postgres.mjs'
import { SuiteRun } from './runner/suite_run.mjs'
import { specFiles } from './runner/spec_files.mjs'
import { build } from '../bin/setup/build.mjs'
import { bubblewrap, chromium } from './runner/system.mjs'

/**
 * The parts in the order of `npm test`: the quickest answer first. What has a `word` runs where a flag names
 * it, as `--driver podman`: it takes long, and proves what few need.
 */
const PARTS = {
  unit: [{}],
  functional: [{ on: 'SQLite' }, { on: 'PostgreSQL', needs: ['postgres'] }],
  contracts: [
    { on: 'this machine', needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
    { on: 'Podman', word: 'podman', needs: ['podman'] },
  ],
  security: [
    { on: 'this machine', needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
  ],
  plugins: [{ needs: ['bubblewrap'] }],
  browser: [{ needs: ['chromium', 'build'] }],
  e2e: [
    { on: 'this machine', needs: ['chromium', 'build', 'openclaw'] },
    { on: 'Docker', needs: ['chromium', 'build', 'openclaw', 'engine', 'openclaw image'] },
    {
      on: 'Docker, at work',
      word: 'docker_at_work',
      needs: ['build', 'openclaw', 'engine', 'openclaw image'],
    },
    {
      on: 'Compose',
      word: 'compose',
      needs: ['openclaw', 'engine', 'openclaw image', 'stack'],
    },
  ],
}

/** Engines by what a run says that it needs. */
const ENGINES = {
  engine: { title: 'Docker engine', kind: 'docker' },
  podman: { title: 'Podman', kind: 'podman' },
}

const STORAGE = join(ROOT, 'storage')

class TestRun {
  #terminal = new Terminal()
  #folder = mkdtempSync(join(tmpdir(), 'mosaic-run-'))
  #postgres = null
  #engines = new Map()
  #current = null
  #stopped = false
  #env = {}

  constructor() {
    /** Agents under users of their own reach their folders through this one. */
    chmodSync(this.#folder, 0o755)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        this.#stopped = true
        this.#current?.end()
      })
    }
  }

  /** @returns {Promise<number>} The status to end with. */
  async run(parts, { flags, timings, ...selection }) {
    const named = [selection.driver, ...selection.wanted].join().toLowerCase()
    const runs = parts
      .flatMap((part) => PARTS[part].map((run) => ({ part, needs: [], ...run })))
      .filter(({ word }) => !word || named.includes(word))
      .map((run) => ({ ...run, files: specFiles({ ...run, ...selection }) }))
      .filter(({ files }) => files.length > 0)
    if (runs.length === 0) throw new SetupFailure('No spec file is named so.')
    let passed = 0
    let failed = 0
    try {
      await this.#prepare(new Set(runs.flatMap(({ needs }) => needs)))
      const outcomes = []
      for (const run of runs) {
        if (this.#stopped) break
        const title = run.on ? `${run.part} on ${run.on}` : run.part
        this.#terminal.line(`\n${this.#terminal.strong(title)}`)
        const watch = timings ? new SuiteWatch() : null
        const outcome = await this.#runSuite(run, title, flags)
        outcomes.push({ title, ...outcome, timings: watch?.lines(outcome.files) ?? [] })
        passed += outcome.passed
        failed += outcome.failed
      }
      this.#report(outcomes)
    } finally {
      await this.#postgres?.stop()
      for (const engine of this.#engines.values()) await engine.stop()
      rmSync(this.#folder, { recursive: true, force: true })
    }
    if (this.#stopped) failed += 1
    this.#terminal.line(`${passed} passed, ${failed} failed`)
    return failed === 0 ? 0 : 1
  }

  async #prepare(needs) {
    const step = (label, work) => this.#terminal.step(label, work)
    await step('Generated code', async () => {
      const failure = 'The code that is generated from the source could not be made'
      const env = withNode24({ ...process.env, NODE_ENV: 'development' })
      await command(node24(), ['ace.js', 'codegen'], { cwd: ROOT, env, failure })
      return 'made'
    })
    if (needs.has('postgres')) {
      await step('PostgreSQL', async () => {
        this.#postgres = new PrivatePostgres()
        await this.#postgres.start()
        return 'running'
      })
    }
    if (needs.has('chromium')) {
      await step('Chromium', async () => (this.#env.CHROMIUM_PATH = await chromium()))
    }
    if (needs.has('bubblewrap')) await step('bubblewrap', bubblewrap)
    if (needs.has('openclaw')) {
      await step(`OpenClaw ${OPENCLAW_VERSION}`, (report) => installOpenClaw(STORAGE, report))
    }
    if (needs.has('build')) await step('Build', build)
    for (const [need, { title, kind }] of Object.entries(ENGINES)) {
      if (!needs.has(need)) continue
      await step(title, async () => {
        const { TestEngine } = await import('./engine/test_engine.mjs')
        const engine = new TestEngine(kind)
        this.#engines.set(need, engine)
        const state = await engine.start()
        await engine.addGatewayImage()
        return state
      })
    }
    if (needs.has('openclaw image')) {
      await step('Image with OpenClaw', async () => {
        await this.#engines.get('engine').addOpenclawImage(STORAGE)
        return 'there'
      })
    }
    if (needs.has('stack')) {
      await step('Compose and its images', async () => {
        const { composeProgram } = await import('./engine/compose_program.mjs')
        this.#env.MOSAIC_TEST_COMPOSE = await composeProgram(STORAGE)
        await this.#engines.get('engine').addHubImages()
        return 'there'
      })
    }
  }

  async #runSuite({ part, needs, files }, title, flags) {
    const folder = join(this.#folder, title.replaceAll(' ', '-'))
    mkdirSync(folder)
    const env = { ...this.#env }
    const engine = needs.map((need) => this.#engines.get(need)).find(Boolean)
    if (engine) Object.assign(env, engine.env)
    if (needs.includes('postgres')) {
      env.DATABASE_URL = await this.#postgres.newDatabase('mosaic_functional')
    }
    const inside = engine?.inside ?? []
    this.#current = new SuiteRun({ suite: part, title, env, folder, inside })
    const outcome = await this.#current.run([
      ...files.flatMap((file) => ['--files', file]),
      ...flags,
    ])
    this.#current = null
    return outcome
  }

  #report(outcomes) {
    this.#terminal.line()
    for (const { title, passed, failed, notes, timings } of outcomes) {
      this.#terminal.line(`${title}: ${passed} passed, ${failed} failed`)
      for (const line of [...notes, ...timings]) this.#terminal.line(`  ${line}`)
    }
  }
}

/** How many files of a suite are named with their times. */
const SLOWEST = 8

/** What a suite takes from its start on: time, and the share of it in which the processors worked. */
class SuiteWatch {
  #startedAt = performance.now()
  #before = SuiteWatch.#processors()

  /** @param {[string, number][]} files Milliseconds by spec file. */
  lines(files) {
    const { busy, all } = SuiteWatch.#processors()
    const share = Math.round((100 * (busy - this.#before.busy)) / (all - this.#before.all))
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
    const slowest = files.toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST)
    return [
      `took ${seconds(performance.now() - this.#startedAt)}, processors ${share} % busy`,
      ...slowest.map(([file, ms]) => `${seconds(ms).padStart(9)}  ${file}`),
    ]
  }

  /** Milliseconds of all processors together, since the machine started. */
  static #processors() {
    const times = cpus().map(({ times: { idle, user, nice, sys, irq } }) => ({
      idle,
      busy: user + nice + sys + irq,
    }))
    const busy = times.reduce((sum, time) => sum + time.busy, 0)
    return { busy, all: times.reduce((sum, time) => sum + time.idle, busy) }
  }
}

/** Parts come first; `--driver`, `--files` and `--timings` are ours, any other flag is Japa's. */
function parse(args) {
  const parts = []
  const flags = []
  const wanted = []
  let driver = null
  let timings = false
  for (let index = 0; index < args.length; index++) {
    const [name, value] = args[index].split('=')
    if (name === '--driver') driver = value ?? args[++index]
    else if (name === '--timings') timings = true
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
  return { parts: parts.length > 0 ? parts : Object.keys(PARTS), driver, wanted, flags, timings }
}

async function main(args) {
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
