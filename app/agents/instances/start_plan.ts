import { Secret } from '@adonisjs/core/helpers'
import type { AgentsContext } from '#agents/context'
import { agentOf } from '#agents/state/agent_repository'
import { buildSpec } from '#agents/instances/spec_builder'
import type { AgentRow } from '#agents/types'
import type { InstanceSpec, RuntimeDriver } from '#runtimes/contract'

/** The plan of a start, from the agent's row and the present settings. */
export interface StartPlan {
  driver: RuntimeDriver
  spec: InstanceSpec
  documentHash: string
}

/**
 * Assembles the document first: without a provider no agent starts.
 *
 * @throws E_NO_PROVIDER
 */
export async function planStart(
  { settings, documents, runtimes, callbackUrl }: AgentsContext,
  row: AgentRow
): Promise<StartPlan> {
  const { hash: documentHash } = await documents.forAgent(agentOf(row))
  const driver = await runtimes.use(await settings.get('runtime.driver'))
  const limits = {
    memoryMb: await settings.get('runtime.memoryMb'),
    cpus: await settings.get('runtime.cpus'),
    processes: await settings.get('runtime.processes'),
    ...row.limits,
  }
  const spec = buildSpec({
    row,
    installation: await runtimes.installation(),
    apiUrl: await callbackUrl(driver),
    token: new Secret((await row.open('gatewayToken'))!),
    image: await settings.get('runtime.image'),
    limits,
  })
  return { driver, spec, documentHash }
}

/**
 * Returns the same plan with a new gateway token, which the row's next save stores too. The former token
 * then opens nothing.
 */
export async function renewToken(row: AgentRow, plan: StartPlan): Promise<StartPlan> {
  const token = new Secret(await row.renewGatewayToken())
  const { installation, apiUrl, image, limits } = plan.spec
  return { ...plan, spec: buildSpec({ row, installation, apiUrl, token, image, limits }) }
}

/** Whether no change in between requires a new start of the agent. */
export function isSamePlan(one: StartPlan, other: StartPlan): boolean {
  return one.spec.hash === other.spec.hash && one.documentHash === other.documentHash
}
