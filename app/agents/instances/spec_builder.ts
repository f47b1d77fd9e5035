import type { Secret } from '@adonisjs/core/helpers'
import { instanceName, agentOf } from '#agents/state/agent_repository'
import type { AgentRow } from '#agents/types'
import { hashGatewayToken } from '#models/with_lifecycle'
import { hashOf } from '#openclaw/canonical_json'
import type { InstanceLimits, InstanceSpec } from '#runtimes/contract'

export interface SpecInput {
  row: AgentRow
  installation: string
  /** The internal listener, without a slash at the end. */
  apiUrl: string
  token: Secret<string>
  image: string | null
  limits: InstanceLimits
}

/**
 * The spec of an agent's instance, from values alone. The hash is of everything that makes an instance
 * another one, so that nothing of a former generation passes for the present one: the token too, as a
 * fingerprint. Not the generation, which counts those changes, nor the document, which an instance fetches
 * itself and may change while it runs.
 */
export function buildSpec({ row, token, ...input }: SpecInput): InstanceSpec {
  const pure = { name: instanceName(row), agent: agentOf(row), ...input }
  const hash = hashOf({ ...pure, token: hashGatewayToken(token.release()) })
  const generation = hash === row.specHash ? row.generation : row.generation + 1
  return { ...pure, token, hash, generation }
}
