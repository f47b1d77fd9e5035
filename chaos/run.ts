/**
 * `npm run chaos -- --seed N --rounds N --driver memory|process|docker --faults kill,… --json`: kills replicas
 * of Mosaic at points drawn from the seed, while they wake, chat with, rest, stop, reap and change agents, and
 * checks the state after the others have reconciled. Other faults hit what replicas depend on: the `database` and the
 * `engine` are restarted, the `clock` is set back an hour. Exits with status 1 unless nothing was orphaned,
 * duplicated or lost, every failure gave its reason, and everything recovered in time. `--build` names a folder with
 * Mosaic compiled as `compiled.ts` does; without it, the run compiles its own.
 */
import { parseArgs } from 'node:util'
import type { AgentKey } from '#agents/types'
import { CHAOS_DRIVERS, FAULTS, type ChaosDriverName, type Fault, type Told } from './messages.js'
import { Seeded } from './seeded.js'
import { openStage, type Stage } from './stage.js'
import { forgotten, judge } from './verdict.js'

const AGENTS = 4
/**
 * Range of steps within which a replica dies; a wake has about forty. Drivers with slower steps get fewer, so
 * that most replicas reach theirs.
 */
const MOST_STEPS: Record<ChaosDriverName, number> = { memory: 300, process: 200, docker: 100 }
/** A replica that has not reached its step by then is killed anyway. */
const MOST_MS = 5000
/** The same for one that is to die between the suspension of an agent and its row. */
const CALM_MS = 20_000
/** Latest time of a fault within its round. */
const LATEST_FAULT_MS = 1000
/** Deadline for everything to match its row after a fault. */
const HEALED_MS = 10_000
/** Of so many rounds with a kill, one kills a replica between the suspension of an agent and its row. */
const SUSPENDED_EVERY = 4
/** Rounds between checks of agents' memory, which also happen at the end. */
const REMEMBER_EVERY = 20

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string', default: '100' },
    driver: { type: 'string', default: 'memory' },
    faults: { type: 'string', default: 'kill' },
    build: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
const rounds = Number(values.rounds)
const driver = CHAOS_DRIVERS.find((name) => name === values.driver)
const faults = values.faults.split(',') as Fault[]
const known = faults.every((fault) => FAULTS.includes(fault))
if (
  !driver ||
  !known ||
  !Number.isSafeInteger(seed) ||
  !Number.isSafeInteger(rounds) ||
  rounds < 1
) {
  process.stderr.write(
    `--seed and --rounds are whole numbers, --driver is one of ${CHAOS_DRIVERS.join(', ')}, ` +
      `--faults some of ${FAULTS.join(', ')}.\n`
  )
  process.exit(2)
}

/** Prints violations with the round in which they were seen. */
function complain(round: number, sentences: string[]): void {
  for (const sentence of sentences) {
    process.stderr.write(`round ${round} of seed ${seed}: ${sentence}\n`)
  }
}

async function play(stage: Stage, answered: Map<AgentKey, string[]>) {
  const { replicas } = stage
  const random = new Seeded(seed)
  const agents = await replicas.prepare(AGENTS)
  const counts = { orphans: 0, doubles: 0, lost: 0, killedSuspended: 0, slowestHealMs: 0 }
  let kills = 0

  for (let round = 1; round <= rounds; round++) {
    const orders = { seed: random.below(2 ** 31), agents }
    /** In rotation, so that a few rounds cover all faults. */
    const fault = faults[(round - 1) % faults.length]
    const step = 1 + random.below(MOST_STEPS[driver!])
    let verdict
    if (fault === 'kill') {
      const calm = ++kills % SUSPENDED_EVERY === 0
      const dieAt = calm ? 'suspended' : step
      const reached = await replicas.round({ ...orders, dieAt, calm }, calm ? CALM_MS : MOST_MS)
      if (calm && reached) counts.killedSuspended++
      verdict = judge(await replicas.settle())
    } else {
      const backAt = await replicas.disturb(orders, {
        afterMs: random.below(LATEST_FAULT_MS),
        fault: () => stage.faults[fault](random),
      })
      verdict = judge(await replicas.settle())
      counts.slowestHealMs = Math.max(counts.slowestHealMs, performance.now() - backAt)
      complain(round, await replicas.revive(agents))
    }
    if (round % REMEMBER_EVERY === 0 || round === rounds) {
      verdict.lost.push(...forgotten(answered, await replicas.memories(agents)))
    }
    complain(round, [...verdict.orphans, ...verdict.doubles, ...verdict.lost])
    counts.orphans += verdict.orphans.length
    counts.doubles += verdict.doubles.length
    counts.lost += verdict.lost.length
    if (fault === 'kill') await replicas.refill()
    if (!values.json) process.stdout.write(`${round} of ${rounds}\r`)
  }
  const doubles = await stage.doubles()
  complain(rounds, doubles)
  counts.doubles += doubles.length
  await replicas.clear(agents)
  return counts
}

process.stderr.write(`seed ${seed}\n`)
const answered = new Map<AgentKey, string[]>()
let rests = 0
let unexplained = 0
const hear = (told: Told) => {
  const { agent, answered: message, unexplained: failure } = told
  if (told.rested) rests++
  if (message) answered.set(agent, [...(answered.get(agent) ?? []), message])
  if (!failure) return
  unexplained++
  process.stderr.write(`seed ${seed}: ${agent} failed without a reason: ${failure}\n`)
}
const stage = await openStage(driver, hear, values.build)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stage.stop().finally(() => process.exit(1)))
}
try {
  const { slowestHealMs, killedSuspended, ...counts } = await play(stage, answered)
  const chats = [...answered.values()].reduce((sum, messages) => sum + messages.length, 0)
  if (chats === 0) throw new Error('No agent ever answered: nothing was tried')
  const healMs = Math.round(slowestHealMs)
  const result = { rounds, ...counts, unexplained, rests, killedSuspended, healMs, seed }
  process.stdout.write(
    values.json
      ? `${JSON.stringify(result)}\n`
      : `${rounds} rounds of ${faults.join(', ')}, ${chats} chats answered, ${rests} rests, ` +
          `${killedSuspended} replicas killed before a row said so: ` +
          `${counts.orphans} orphans, ${counts.doubles} doubles, ${counts.lost} lost, ` +
          `${unexplained} without a reason, healed in ${healMs} ms (seed ${seed})\n`
  )
  const wrong = counts.orphans + counts.doubles + counts.lost + unexplained
  if (wrong > 0 || healMs > HEALED_MS) process.exitCode = 1
} finally {
  await stage.stop()
}
