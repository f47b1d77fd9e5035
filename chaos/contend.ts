/**
 * `npm run chaos:contend -- --calls N --agents N --seed N --json`: three replicas on one database request the
 * same agents at the same time and sometimes stop one. Exits with status 1 if two instances of one agent were
 * ever alive, two replicas ever changed one agent at the same time, or a call failed for another reason than a
 * stop.
 */
import { parseArgs } from 'node:util'
import { openStage } from './stage.js'
import { judge } from './verdict.js'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    agents: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const [calls, count, seed] = [values.calls, values.agents, values.seed].map(Number)

/** Another caller's stop cancels a start, as intended. */
const CALLED_OFF = 'was cancelled'

const stage = await openStage('memory', () => {})
try {
  const { replicas } = stage
  const agents = await replicas.prepare(count)
  const startedAt = performance.now()
  const facts = await replicas.contend(calls, { seed, agents })
  const seconds = (performance.now() - startedAt) / 1000
  const verdict = judge(await replicas.settle())
  const doubles = [...(await stage.doubles()), ...verdict.doubles]
  const failures = facts.flatMap((replica) => replica.failures)
  const failed = failures.filter((failure) => !failure.includes(CALLED_OFF))
  const result = {
    calls,
    agents: count,
    answered: facts.reduce((sum, { answered }) => sum + answered, 0),
    calledOff: failures.length - failed.length,
    failed: failed.length,
    doubles: doubles.length,
    orphans: verdict.orphans.length,
    seconds: Math.round(seconds),
    seed,
  }
  for (const sentence of [...new Set([...doubles, ...failed])].slice(0, 5))
    process.stderr.write(`${sentence}\n`)
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${result.answered} of ${calls} calls answered, ${result.calledOff} called off by a stop, ` +
          `${result.failed} failed, ${result.doubles} doubles, ${result.orphans} orphans in ${result.seconds} s\n`
  )
  if (result.failed + result.doubles + result.orphans > 0) process.exitCode = 1
  await replicas.clear(agents)
} finally {
  await stage.stop()
}
