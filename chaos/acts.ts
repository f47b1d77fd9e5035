import { requestGateway } from '#runtimes/gateway_connections'
import { setTimeout as after } from 'node:timers/promises'
import { Exception } from '@adonisjs/core/exceptions'
import type { AgentActivity } from '#agents/state/activity'
import type { SettingsRollout } from '#agents/changes/settings_rollout'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentReaper } from '#agents/background/reaper'
import type { IdleStopper } from '#agents/stopping/idle_stopper'
import type { AgentReconciler } from '#agents/background/reconciler'
import type { AgentKey } from '#agents/types'
import { isDatabaseAway } from '#exceptions/database_away'
import type { Orders, Told } from './messages.js'
import type { Seeded } from './seeded.js'

/** Like the chat relay: retries if a gateway cannot be reached. */
const MOST_TRIES = 4
const LONGEST_PAUSE_MS = 30
/** Of a calm round: replicas publish their requests in flight once a second. */
const CALM_PAUSE_MS = 2500
/** A gateway answers in milliseconds, and a suspended one is resumed within a sweep. */
const ANSWER_MS = 30_000

/** The services that acts use. */
export interface House {
  lifecycle: AgentLifecycle
  observer: InstanceObserver
  activity: AgentActivity
  idleStopper: IdleStopper
  reaper: AgentReaper
  reconciler: AgentReconciler
  changes: SettingsRollout
  /** Moves a suspended agent's memory to swap. */
  pageOut(agent: AgentKey): Promise<void>
  /** Changes the agent's settings. */
  changeSettings(agent: AgentKey): Promise<void>
}

/** Actions of users, admins and Mosaic's own sweeps on agents, drawn from a seed. */
export class Acts {
  readonly #house: House
  readonly #random: Seeded
  readonly #tell: (told: Told) => void
  readonly #names: string

  /** `names` makes this replica's messages unique. */
  constructor(house: House, random: Seeded, tell: (told: Told) => void, names: string) {
    this.#house = house
    this.#random = random
    this.#tell = tell
    this.#names = names
  }

  /**
   * Acts until the signal aborts; an action in progress is finished first. Actions may fail, as long as the
   * caller learns why.
   */
  async go({ agents, calm }: Pick<Orders, 'agents' | 'calm'>, signal: AbortSignal): Promise<void> {
    for (let count = 0; !signal.aborted; count++) {
      const agent = this.#random.pick(agents)
      const chance = this.#random.next()
      const message = `${this.#names}-${count}`
      const isRest = calm === true && chance > 0.4
      const act = isRest ? this.#rest(agent).catch(() => {}) : this.#act(agent, chance, message)
      await act.catch((error: unknown) => {
        if (!isExplained(error)) this.#tell({ agent, unexplained: String(error) })
      })
      await after(this.#random.below(calm ? CALM_PAUSE_MS : LONGEST_PAUSE_MS))
    }
  }

  async #act(agent: AgentKey, chance: number, message: string): Promise<unknown> {
    const { lifecycle, observer, reaper, reconciler, changes } = this.#house
    if (chance < 0.5) return this.#chat(agent, message)
    if (chance < 0.58) return lifecycle.stop(agent)
    if (chance < 0.64) return lifecycle.restartAndWait(agent)
    /** As with the other sweeps, nobody waits for a result. */
    if (chance < 0.72) return this.#rest(agent).catch(() => {})
    /** These three are Mosaic's own periodic jobs, so nobody waits for a result. */
    if (chance < 0.8) return reaper.reapAll().catch(() => {})
    if (chance < 0.87) return reconciler.reconcile().catch(() => {})
    if (chance < 0.92) return observer.recheck(agent).catch(() => {})
    await this.#house.changeSettings(agent)
    return changes.changed(agent)
  }

  /** Suspends an agent and moves its memory to swap, as idle agents are; others may wake it meanwhile. */
  async #rest(agent: AgentKey): Promise<void> {
    const { idleStopper, pageOut } = this.#house
    const outcome = await idleStopper.stop(agent, ({ status }) =>
      status === 'running' ? { kind: 'rest' } : null
    )
    if (outcome !== 'suspended') return
    this.#tell({ rested: true, agent })
    await pageOut(agent)
  }

  async #chat(agent: AgentKey, message: string): Promise<void> {
    const { lifecycle, activity } = this.#house
    const end = activity.begin(agent)
    try {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const { url, token } = await lifecycle.ensureRunning(agent)
        const answer = await say(url, token, message).catch((error: Error) => {
          if (error.name === 'TimeoutError') throw error
          return null
        })
        if (answer !== null) return this.#tell({ answered: message, agent })
        lifecycle.invalidate(agent)
      }
    } finally {
      end()
    }
  }
}

/** Returns whether an API would report more than "something went wrong". */
export function isExplained(error: unknown): boolean {
  return (error instanceof Exception && error.help !== undefined) || isDatabaseAway(error)
}

/** The session of all the suite's chats. */
export const SESSION = 'chaos'

async function say(url: string, token: string, message: string): Promise<string> {
  const response = await requestGateway(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'authorization': `Bearer ${token}`,
      'content-type': 'application/json',
      'x-openclaw-session-key': SESSION,
    },
    body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: message }] }),
    signal: AbortSignal.timeout(ANSWER_MS),
  })
  if (response.statusCode !== 200) throw new Error(`The gateway answered ${response.statusCode}`)
  const { choices } = (await response.body.json()) as {
    choices: { message: { content: string } }[]
  }
  return choices[0].message.content
}

/** Returns the session's messages that the agent remembers. */
export async function remembered(url: string, token: string): Promise<string[]> {
  const response = await requestGateway(`${url}/sessions/${SESSION}/history?limit=1000000`, {
    headers: { authorization: `Bearer ${token}` },
  })
  if (response.statusCode === 404) return []
  const { messages } = (await response.body.json()) as {
    messages: { role: string; content: string }[]
  }
  return messages.filter(({ role }) => role === 'user').map(({ content }) => content)
}
