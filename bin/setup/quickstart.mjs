import { join, resolve } from 'node:path'
import { existsSync, readFileSync } from 'node:fs'
import util, { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'
import { checkFree } from './ports.mjs'
import { command } from './command.mjs'
import { fleetSleep } from './fleet_sleep.mjs'
import { answerSetup } from './demo.mjs'
import { MosaicServer } from './server.mjs'
import { SetupFailure } from './failure.mjs'
import { Terminal } from './terminal.mjs'
import { install, installPlugins, isInstalled } from './packages.mjs'
import { ROOT, continueWithNode24, isNode24, node24, withNode24 } from './node24.mjs'

const ENV_FILE = join(ROOT, '.env')

/** Set for the second half, which runs on Node 24. */
const SECOND_HALF = 'MOSAIC_QUICKSTART_CONTINUES'

/**
 * Ranges of models on this machine and its network. Production starts with none; someone who starts Mosaic on
 * their own machine wants to reach their Ollama.
 */
const LOCAL_RANGES = [
  '127.0.0.0/8',
  '::1/128',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
]

const USAGE = `Usage: npm run quickstart [-- --demo]

  --demo   answer the setup too: an admin account and a model that needs no key

HOST, PORT, INTERNAL_HOST, INTERNAL_PORT, STORAGE_PATH and DATABASE_URL are respected.`

/** @param {string[]} args */
export async function quickstart(args) {
  try {
    const { demo, help } = options(args)
    if (help) return console.log(USAGE)
    await start(demo, args)
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    console.error(['', error.message, error.help].filter((text) => text !== undefined).join('\n'))
    process.exitCode = 1
  }
}

async function start(demo, args) {
  const terminal = new Terminal()

  if (!process.env[SECOND_HALF]) {
    terminal.line(`\n${terminal.strong('Mosaic')}\n`)
    /** Before the packages: a Mosaic that runs here would lose its own. */
    await checkPorts({ ...envFile(), ...process.env })
    await terminal.step('Packages', async (report) => {
      if (isInstalled(ROOT)) return 'present'
      await install(ROOT, report)
      return 'installed'
    })
    await terminal.step('Plugins', () =>
      installPlugins(process.env.PLUGINS_PATH ?? join(ROOT, 'plugins'))
    )
  }
  if (!isNode24()) {
    const script = join(ROOT, 'bin/quickstart.mjs')
    return continueWithNode24([script, ...args], { [SECOND_HALF]: 'yes' })
  }

  if (existsSync(ENV_FILE)) process.loadEnvFile(ENV_FILE)
  await checkPorts(process.env)
  const { storage, env } = environment(process.env)

  const { OPENCLAW_VERSION, installOpenClaw } = await import('../install_openclaw.mjs')
  await terminal.step(`OpenClaw ${OPENCLAW_VERSION}`, (report) => installOpenClaw(storage, report))
  await terminal.step('Build', build)
  await terminal.step('Key and database', () => prepare(env, storage))

  const server = new MosaicServer({ env, storage, terminal })
  await terminal.step('Start', () => server.start())

  if (demo) await answerSetup({ server, terminal }).catch((error) => server.stop(error))
  else announce(server, terminal)
  terminal.line(`\n  ${terminal.quiet(`Log: ${server.logFile}   Stop: Ctrl-C`)}\n`)

  process.exitCode = await server.ended
  if (process.exitCode !== 0) terminal.line(`  The server ended by itself: see ${server.logFile}`)
  await sleep(env, terminal)
}

/** On a server, agents outlive Mosaic; on a personal machine nothing should keep running after Ctrl-C. */
async function sleep(env, terminal) {
  terminal.line()
  await terminal.step('Agents', async () => {
    const { words, areAllAsleep } = await fleetSleep(() =>
      ace(env, ['fleet:sleep', '--json'], 'They go on running')
    )
    if (!areAllAsleep) process.exitCode = 1
    return words
  })
}

function options(args) {
  try {
    const known = { demo: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
    return parseArgs({ args, options: known }).values
  } catch (error) {
    throw new SetupFailure(error.message, USAGE)
  }
}

/** Reads the file for what is needed before Node 24 runs; Node 20 before 20.12 cannot. */
function envFile() {
  return existsSync(ENV_FILE) ? (util.parseEnv?.(readFileSync(ENV_FILE, 'utf8')) ?? {}) : {}
}

/** Returns the server's environment. Variables that are already set win. */
function environment(given) {
  const storage = resolve(ROOT, given.STORAGE_PATH ?? 'storage')
  const env = {
    HOST: '127.0.0.1',
    PORT: '3333',
    INTERNAL_HOST: '127.0.0.1',
    INTERNAL_PORT: '3334',
    DATABASE_URL: `sqlite:${join(storage, 'mosaic.sqlite3')}`,
    ...withNode24(given),
    NODE_ENV: 'production',
    STORAGE_PATH: storage,
  }
  return { storage, env }
}

async function checkPorts(given) {
  const { env } = environment(given)
  await checkFree({ host: env.HOST, port: portOf(env, 'PORT'), variable: 'PORT' })
  const variable = 'INTERNAL_PORT'
  await checkFree({ host: env.INTERNAL_HOST, port: portOf(env, variable), variable })
}

function portOf(env, variable) {
  const port = Number(env[variable])
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new SetupFailure(`${variable} is "${env[variable]}", and a port is a number up to 65535.`)
}

/** Creates a missing key, migrates the database, and allows the local network. */
async function prepare(env, storage) {
  const { bootSecrets } = await import(
    pathToFileURL(join(ROOT, 'build/app/vaults/boot_secrets.js'))
  )
  try {
    bootSecrets({
      envFile: ENV_FILE,
      storagePath: storage,
      mode: 'development',
      databaseUrl: env.DATABASE_URL,
      secretKey: process.env.MOSAIC_SECRET_KEY,
    })
  } catch (error) {
    throw error.help ? new SetupFailure(error.message, error.help) : error
  }
  env.MOSAIC_SECRET_KEY = process.env.MOSAIC_SECRET_KEY

  await ace(env, ['migration:run', '--force'], 'The database could not be brought up to date')
  await ace(
    env,
    ['settings:set', 'network.allowedRanges', JSON.stringify(LOCAL_RANGES), '--if-unset'],
    'The local network could not be allowed'
  )
  return 'ready'
}

function ace(env, args, failure) {
  return command(node24(), ['build/ace.js', ...args], { cwd: ROOT, env, failure })
}

function announce(server, terminal) {
  const { setupLink, url } = server
  terminal.line()
  if (setupLink) {
    terminal.line(`  ${terminal.strong('Set up Mosaic here:')}  ${terminal.link(setupLink)}`)
    terminal.line(`  ${terminal.quiet('The link makes you the admin: keep it to yourself.')}`)
  } else {
    terminal.line(`  ${terminal.strong('Mosaic runs at')}  ${terminal.link(url)}`)
  }
}
