/**
 * `npm run bench`: measures the budgets. `-- --only <group>` runs one group, `--json` prints one object per
 * line. Where agents are left alone for minutes, `--quick` does with seconds, `--rounds N` repeats,
 * `--driver <name>` tries one runtime, and `--swap-mb N` adds a temporary swap file, with `--zram` compressed memory.
 * Exits with status 1 if a budget was missed.
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { coresOf, pin } from './child.js'
import type { GroupOptions } from './options.js'
import { toLine, type Result } from './result.js'

type Group = (options: GroupOptions) => Promise<Result[]>

const GROUPS: Record<string, () => Promise<Group>> = {
  'relay': async () => (await import('./groups/relay.js')).relayGroup,
  'ensure': async () => (await import('./groups/ensure.js')).ensureGroup,
  'llm-relay': async () => (await import('./groups/llm_relay.js')).llmRelayGroup,
  'config': async () => (await import('./groups/config.js')).configGroup,
  'memory': async () => (await import('./groups/memory.js')).memoryGroup,
  'wake': async () => (await import('./groups/wake.js')).wakeGroup,
  'storm': async () => (await import('./groups/storm.js')).stormGroup,
  'reap': async () => (await import('./groups/reap.js')).reapGroup,
  'search': async () => (await import('./groups/search.js')).searchGroup,
  'docker': async () => (await import('./groups/docker.js')).dockerGroup,
  'swarm': async () => (await import('./groups/swarm.js')).swarmGroup,
  'day': async () => (await import('./groups/day.js')).dayGroup,
  'scale': async () => (await import('./groups/scale.js')).scaleGroup,
  'felt': async () => (await import('./groups/felt.js')).feltGroup,
}

/** Runtimes that real agents are measured on. */
const DRIVERS = ['process', 'docker']

/** Load per core by other work above which times are unreliable. */
const BUSY = 0.5

const { values } = parseArgs({
  options: {
    'only': { type: 'string', multiple: true },
    'json': { type: 'boolean' },
    'quick': { type: 'boolean', default: false },
    'driver': { type: 'string', multiple: true, default: DRIVERS },
    'rounds': { type: 'string', default: '1' },
    'swap-mb': { type: 'string', default: '0' },
    'zram': { type: 'boolean', default: false },
  },
})
const options: GroupOptions = {
  quick: values.quick,
  drivers: values.driver,
  rounds: Number(values.rounds),
  swapMb: Number(values['swap-mb']),
  zram: values.zram,
}
const known = options.drivers.every((name) => DRIVERS.includes(name))
if (!known || !(options.rounds >= 1 && options.swapMb >= 0)) {
  process.stderr.write(
    `--driver is one of ${DRIVERS.join(', ')}, --rounds a number from 1, --swap-mb one of megabytes.\n`
  )
  process.exit(2)
}

const wanted = values.only ?? Object.keys(GROUPS)
const unknown = wanted.filter((name) => !Object.hasOwn(GROUPS, name))
if (unknown.length > 0) {
  process.stderr.write(
    `There is no group "${unknown[0]}". The groups are: ${Object.keys(GROUPS).join(', ')}.\n`
  )
  process.exit(2)
}

const [load] = loadavg()
if (load > BUSY * availableParallelism()) {
  process.stderr.write(
    `The machine is busy (load ${load.toFixed(1)}): times will be longer than Mosaic makes them.\n`
  )
}

const cores = coresOf(process.pid)
for (const name of wanted) {
  const group = await GROUPS[name]()
  for (const entry of await group(options)) {
    process.stdout.write(`${values.json ? JSON.stringify(entry) : toLine(entry)}\n`)
    if (!entry.ok) process.exitCode = 1
  }
  /**
   * A group may have pinned this process to one core; without this the next group's engine and agents would
   * inherit it.
   */
  if (cores !== null) pin(process.pid, cores)
}
