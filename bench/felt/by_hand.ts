import { createHmac } from 'node:crypto'
import { readyAt } from '../openclaw_by_hand.js'
import { idleCost, Meter, residentBytes, type Cost, type IdleCost } from './cost.js'
import { eventsOf, firstOf } from './streams.js'

const SESSION = 'by-hand'

/** An OpenClaw that was started without Mosaic. */
export interface ByHand {
  url: string
  /** Of its gateway. */
  token: string
  pids(): number[]
  stop(): Promise<void>
}

/** Figures of one run of it. */
export interface ByHandFigures {
  /** From the start until `/startupz` is 200. */
  ready: Cost
  /** From the start to the first token of its first answer, asked for as soon as it is ready. */
  first: Cost
  /** From Enter to the first token, after `idleMs` without use. */
  idleFirst: Cost
  rest: IdleCost
  /** Resident bytes while idle. */
  resident: number
}

/** Starts it, chats, leaves it alone for a while, chats again, and stops it. */
export async function measureByHand(
  start: () => Promise<ByHand>,
  pids: () => number[],
  idleMs: number
): Promise<ByHandFigures> {
  const meter = new Meter(pids)
  const openclaw = await start()
  try {
    await readyAt(openclaw.url)
    const ready = meter.read()
    const first = await ask(openclaw, meter)
    const rest = await idleCost(pids, idleMs)
    const resident = residentBytes(pids())
    const idleFirst = await ask(openclaw, new Meter(pids))
    return { ready, first, idleFirst, rest, resident }
  } finally {
    await openclaw.stop()
  }
}

async function ask({ url, token }: ByHand, meter: Meter): Promise<Cost> {
  let cost: Cost | null = null
  const events = eventsOf(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'authorization': `Bearer ${token}`,
      'content-type': 'application/json',
      'x-openclaw-session-key': SESSION,
    },
    body: JSON.stringify({
      model: 'openclaw',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  })
  const isText = ({ data }: { data: string }) => /"content":"[^"]/.test(data)
  await firstOf(events, isText, () => (cost = meter.read()))
  return cost!
}

/** Variables that an agent's document refers to, and its launcher sets. */
export function documentVariables(token: string): Record<string, string> {
  const knowledge = createHmac('sha256', token).update('mosaic/knowledge/v1').digest('base64url')
  return { MOSAIC_KNOWLEDGE_TOKEN: knowledge }
}
