import { Secret } from '@adonisjs/core/helpers'
import type { AgentsContext } from '#agents/context'
import { agentOf } from '#agents/state/agent_repository'
import { buildSpec } from '#agents/instances/spec_builder'
import type { AgentRow } from '#agents/types'
import type { InstanceSpec, RuntimeDriver } from '#runtimes/contract'

/** How an agent is started, by its row and the settings as they are now. */
export interface StartPlan {
  driver: RuntimeDriver
  spec: InstanceSpec
  documentHash: string
}

/**
 * The document comes first: without a provider nothing is started at all.
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
 * The same start with a new gateway token, which the row has as well from its next save on: whoever learnt
 * the former one has nothing of it any more.
 */
export async function renewToken(row: AgentRow, plan: StartPlan): Promise<StartPlan> {
  const token = new Secret(await row.renewGatewayToken())
  const { installation, apiUrl, image, limits } = plan.spec
  return { ...plan, spec: buildSpec({ row, installation, apiUrl, token, image, limits }) }
}

/** Whether nothing was changed in between that an agent has to be started anew for. */
export function isSamePlan(one: StartPlan, other: StartPlan): boolean {
  return one.spec.hash === other.spec.hash && one.documentHash === other.documentHash
}
