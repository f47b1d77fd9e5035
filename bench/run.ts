/**
 * `npm run bench`: the budgets, measured. `-- --only <group>` runs one group, `--json` prints one object
 * a line. Ends with status 1 when a budget was missed.
 */
import { availableParallelism, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { coresOf, pin } from './child.js'
import { toLine, type Result } from './result.js'

type Group = () => Promise<Result[]>

const GROUPS: Record<string, () => Promise<Group>> = {
  'relay': async () => (await import('./groups/relay.js')).relayGroup,
  'ensure': async () => (await import('./groups/ensure.js')).ensureGroup,
  'llm-relay': async () => (await import('./groups/llm_relay.js')).llmRelayGroup,
  'config': async () => (await import('./groups/config.js')).configGroup,
  'memory': async () => (await import('./groups/memory.js')).memoryGroup,
  'wake': async () => (await import('./groups/wake.js')).wakeGroup,
  'storm': async () => (await import('./groups/storm.js')).stormGroup,
  'reap': async () => (await import('./groups/reap.js')).reapGroup,
  'docker': async () => (await import('./groups/docker.js')).dockerGroup,
}

/** Others' work per core from which on times tell little. */
const BUSY = 0.5

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, json: { type: 'boolean' } },
})

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
  for (const entry of await group()) {
    process.stdout.write(`${values.json ? JSON.stringify(entry) : toLine(entry)}\n`)
    if (!entry.ok) process.exitCode = 1
  }
  /** A group that kept this process on one core keeps the next one's engine and agents there as well. */
  if (cores !== null) pin(process.pid, cores)
}
