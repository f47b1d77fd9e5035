/**
 * `npm run chaos -- --seed N --rounds N --driver memory|process|docker --json`: kills copies of Mosaic at
 * points drawn from the seed, while they wake, chat with, stop and change agents, and looks at what is left
 * each time the others have reconciled. Ends with status 1 unless nothing was orphaned, doubled or lost.
 */
import { parseArgs } from 'node:util'
import type { AgentKey } from '#agents/types'
import { CHAOS_DRIVERS, type ChaosDriverName } from './messages.js'
import { Seeded } from './seeded.js'
import { openStage, type Stage } from './stage.js'
import { forgotten, judge } from './verdict.js'

const AGENTS = 4
/**
 * Steps of a copy within which it dies; a wake has about forty. Where a step takes longer there are fewer,
 * so that most copies come to theirs.
 */
const MOST_STEPS: Record<ChaosDriverName, number> = { memory: 300, process: 200, docker: 100 }
/** A copy that has not come to its step by then is killed wherever it is. */
const MOST_MS = 5000
/** Agents are asked what they remember after so many rounds, and at the end. */
const REMEMBER_EVERY = 20

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string', default: '100' },
    driver: { type: 'string', default: 'memory' },
    json: { type: 'boolean', default: false },
  },
})

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const rounds = Number(values.rounds)
const driver = CHAOS_DRIVERS.find((name) => name === values.driver)
if (!driver || !Number.isSafeInteger(seed) || !Number.isSafeInteger(rounds) || rounds < 1) {
  process.stderr.write(
    `--seed and --rounds are whole numbers, --driver is one of ${CHAOS_DRIVERS.join(', ')}.\n`
  )
  process.exit(2)
}

/** What is wrong goes here, with the round in which it was seen. */
function complain(round: number, sentences: string[]): void {
  for (const sentence of sentences) {
    process.stderr.write(`round ${round} of seed ${seed}: ${sentence}\n`)
  }
}

async function play(stage: Stage, answered: Map<AgentKey, string[]>) {
  const { copies } = stage
  const random = new Seeded(seed)
  const agents = await copies.prepare(AGENTS)
  const counts = { orphans: 0, doubles: 0, lost: 0 }

  for (let round = 1; round <= rounds; round++) {
    const orders = { seed: random.below(2 ** 31), dieAt: 1 + random.below(MOST_STEPS[driver!]) }
    await copies.round({ ...orders, agents }, MOST_MS)
    const verdict = judge(await copies.settle())
    if (round % REMEMBER_EVERY === 0 || round === rounds) {
      verdict.lost.push(...forgotten(answered, await copies.memories(agents)))
    }
    complain(round, [...verdict.orphans, ...verdict.doubles, ...verdict.lost])
    counts.orphans += verdict.orphans.length
    counts.doubles += verdict.doubles.length
    counts.lost += verdict.lost.length
    await copies.refill()
    if (!values.json) process.stdout.write(`${round} of ${rounds}\r`)
  }
  counts.doubles += await stage.doubles()
  await copies.clear(agents)
  return counts
}

process.stderr.write(`seed ${seed}\n`)
const answered = new Map<AgentKey, string[]>()
const stage = await openStage(driver, ({ agent, answered: message }) => {
  answered.set(agent, [...(answered.get(agent) ?? []), message])
})
try {
  const counts = await play(stage, answered)
  const chats = [...answered.values()].reduce((sum, messages) => sum + messages.length, 0)
  if (chats === 0) throw new Error('No agent ever answered: nothing was tried')
  const result = { rounds, ...counts, seed }
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${rounds} copies killed, ${chats} chats answered: ` +
          `${counts.orphans} orphans, ${counts.doubles} doubles, ${counts.lost} lost (seed ${seed})\n`
  )
  if (counts.orphans + counts.doubles + counts.lost > 0) process.exitCode = 1
} finally {
  await stage.stop()
}
