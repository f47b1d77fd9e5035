import type User from '#models/user'
import type { AgentKey } from '#agents/types'
import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import { isFailureReason, type FailureReason } from '#runtimes/errors'
import type { OwnModel } from '#user_settings/own_models'
import { SystemAgents, type NewSystemAgent } from '#agents/system_agents/system_agents'
import type { PlacementRule } from '#agents/system_agents/placement'
import SystemContainer from '#models/system_container'

/** Names of system agents by what was done, or would be. */
export interface AppliedAgents {
  created: string[]
  changed: string[]
  unchanged: string[]
  deleted: string[]
  /** Those that did not start. */
  failed: { name: string; reason: FailureReason }[]
}

/** The part of the lifecycle that a command needs: verbs that resolve once they are done. */
export interface WaitingControls {
  startAndWait(agent: AgentKey): Promise<unknown>
  stop(agent: AgentKey): Promise<unknown>
  restartAndWait(agent: AgentKey): Promise<unknown>
}

/**
 * Makes the system agents what a file declares: creates, changes and, with `prune`, deletes. Idempotent, and an
 * agent that is already as declared is not restarted. All models and labels are checked before the first change.
 */
export class DeclaredAgents {
  #agents: SystemAgents
  #failed: AppliedAgents['failed'] = []

  constructor(
    controls: () => Promise<WaitingControls>,
    audit: Audit,
    ownModel: (admin: User, reference: string) => Promise<OwnModel | null>,
    placement: Pick<PlacementRule, 'check'>
  ) {
    const waiting = (verb: keyof WaitingControls) => async (agent: AgentKey) =>
      this.#noted(agent, (await controls())[verb](agent))
    const verbs = {
      start: waiting('startAndWait'),
      stop: waiting('stop'),
      restart: waiting('restartAndWait'),
    }
    this.#agents = new SystemAgents(async () => verbs, audit, ownModel, placement)
  }

  /** @throws E_UNKNOWN_MODEL, E_PLACEMENT_IGNORED, with nothing changed */
  async apply(
    file: NewSystemAgent[],
    by: Actor,
    { prune = false, dryRun = false } = {}
  ): Promise<AppliedAgents> {
    const declared = file.map((agent) => ({
      limits: null,
      placement: null,
      isActive: true,
      ...agent,
    }))
    const rows = new Map((await SystemContainer.all()).map((row) => [row.name, row]))
    this.#failed = []
    const applied: AppliedAgents = {
      created: [],
      changed: [],
      unchanged: [],
      deleted: [],
      failed: this.#failed,
    }
    for (const agent of declared) {
      applied[await this.#effect(agent, rows.get(agent.name), by)].push(agent.name)
    }
    const names = new Set(declared.map(({ name }) => name))
    if (prune) applied.deleted = [...rows.keys()].filter((name) => !names.has(name))
    if (dryRun) return applied

    for (const agent of declared) {
      const row = rows.get(agent.name)
      if (row) await this.#agents.update(row, agent, by)
      else await this.#agents.create(agent, by)
    }
    for (const name of applied.deleted) await this.#agents.delete(rows.get(name)!, by)
    return applied
  }

  async #effect(
    agent: Required<NewSystemAgent>,
    row: SystemContainer | undefined,
    { user }: Actor
  ) {
    if (row) {
      return (await this.#agents.wouldChange(row.id, agent, user)) ? 'changed' : 'unchanged'
    }
    await this.#agents.checkNew(agent, user)
    return 'created'
  }

  /** An agent that does not start keeps no other from being applied; the reconciler tries it again. */
  async #noted(agent: AgentKey, done: Promise<unknown>): Promise<void> {
    try {
      await done
    } catch (error) {
      const { reason } = error as { reason?: unknown }
      if (!isFailureReason(reason)) throw error
      const { name } = await SystemContainer.findOrFail(agent.slice('system/'.length))
      this.#failed.push({ name, reason })
    }
  }
}
