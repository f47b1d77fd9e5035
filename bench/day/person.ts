import type { Clock } from '#timing/clock'
import type { Seeded } from '../../chaos/seeded.js'

const SECOND_MS = 1000
const MINUTE_MS = 60_000

/** Times away between visits: exponential around this mean, within these bounds. */
const AWAY_MS = { mean: 7 * MINUTE_MS, least: MINUTE_MS, most: 25 * MINUTE_MS }
const TYPING_MS = { least: 4 * SECOND_MS, most: 20 * SECOND_MS }
const READING_MS = { least: 10 * SECOND_MS, most: 60 * SECOND_MS }
const MOST_MESSAGES = 4

/** What a person does with their agent. */
export interface Agent {
  /** Opens the page, which wakes the agent, and does not wait for it. */
  open(): void
  /** Sends a message; resolves at the first token. */
  send(): Promise<void>
}

/** Comes back every few minutes, opens the page, types and sends, until the time is over. Returns the waits. */
export async function liveADay(
  agent: Agent,
  clock: Clock,
  random: Seeded,
  untilMs: number
): Promise<number[]> {
  const between = ({ least, most }: { least: number; most: number }) =>
    least + random.next() * (most - least)
  const away = () => {
    const drawn = -Math.log(1 - random.next()) * AWAY_MS.mean
    return Math.min(AWAY_MS.most, Math.max(AWAY_MS.least, drawn))
  }
  const waits: number[] = []
  await clock.wait(random.next() * AWAY_MS.mean)
  while (clock.elapsed() < untilMs) {
    agent.open()
    for (let left = 1 + random.below(MOST_MESSAGES); left > 0; left--) {
      await clock.wait(between(TYPING_MS))
      const sentAt = clock.elapsed()
      await agent.send()
      waits.push(clock.elapsed() - sentAt)
      if (left > 1) await clock.wait(between(READING_MS))
    }
    await clock.wait(Math.min(away(), Math.max(0, untilMs - clock.elapsed())))
  }
  return waits
}
