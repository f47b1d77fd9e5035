import { Secret } from '@adonisjs/core/helpers'
import type { AgentsContext } from '#agents/context'
import { strandedIn } from '#agents/instances/data_migration'
import { agentOf, instanceName, type AgentRepository } from '#agents/state/agent_repository'
import type { AgentRow } from '#agents/types'
import { hashGatewayToken } from '#models/with_lifecycle'
import { hashOf } from '#openclaw/canonical_json'
import SystemContainer from '#models/system_container'
import type {
  Instance,
  InstanceLimits,
  InstanceSpec,
  NodeLabels,
  RuntimeDriver,
} from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'

/** A start plan, from the agent's row and the current settings. */
export interface StartPlan {
  driver: RuntimeDriver
  spec: InstanceSpec
  documentHash: string
}

/**
 * Builds the document first: without a provider no agent starts.
 *
 * @throws E_NO_PROVIDER, or RuntimeError if a runtime that the start needs is not installed
 */
export async function planStart(context: AgentsContext, row: AgentRow): Promise<StartPlan> {
  const { settings, documents, runtimes, callbackUrl } = context
  const { hash: documentHash } = await documents.forAgent(agentOf(row))
  const driver = await chosenDriver(context, row)
  const spec = buildSpec({
    row,
    installation: await runtimes.installation(),
    apiUrl: await callbackUrl(driver),
    token: new Secret((await row.open('gatewayToken'))!),
    image: await settings.get('runtime.image'),
    limits: await limitsOf(context, row),
    ...placementOf(driver, row),
  })
  return { driver, spec, documentHash }
}

/** The limits of the settings, or the agent's own. */
export async function limitsOf(
  { settings }: Pick<AgentsContext, 'settings'>,
  row: AgentRow
): Promise<InstanceLimits> {
  return {
    memoryMb: await settings.get('runtime.memoryMb'),
    cpus: await settings.get('runtime.cpus'),
    processes: await settings.get('runtime.processes'),
    ...row.limits,
  }
}

/**
 * An agent needs its data to start, so both the chosen runtime and the one with the data must be
 * installed.
 */
async function chosenDriver(
  { settings, runtimes }: AgentsContext,
  row: AgentRow
): Promise<RuntimeDriver> {
  const installed = runtimes.names()
  if (row.runtime && !installed.includes(row.runtime)) throw strandedIn(row.runtime)
  const chosen = await settings.get('runtime.driver')
  if (installed.includes(chosen)) return runtimes.use(chosen)
  throw new RuntimeError('engine_unreachable', `The runtime "${chosen}" is not installed.`, {
    help: `Install its plugin again and restart Mosaic, or choose another runtime: ${installed.join(', ')}.`,
  })
}

/**
 * Returns the same plan with a new gateway token, which the row's next save stores too. The former
 * token is then invalid.
 */
export async function renewToken(row: AgentRow, plan: StartPlan): Promise<StartPlan> {
  const token = new Secret(await row.renewGatewayToken())
  const { installation, apiUrl, image, limits } = plan.spec
  const rest = { installation, apiUrl, image, limits, ...placementOf(plan.driver, row) }
  return { ...plan, spec: buildSpec({ row, token, ...rest }) }
}

/** Labels are for drivers that know them: one that does not would only restart its agents for their sake. */
export function placementOf(
  { capabilities }: RuntimeDriver,
  row: AgentRow
): { placement?: NodeLabels } {
  const labels = row instanceof SystemContainer ? row.placement : null
  return capabilities.placement && labels ? { placement: labels } : {}
}

/** Whether the plans are equivalent, so that the agent need not restart. */
export function isSamePlan(one: StartPlan, other: StartPlan): boolean {
  return one.spec.hash === other.spec.hash && one.documentHash === other.documentHash
}

export interface SpecInput {
  row: AgentRow
  installation: string
  /** The internal listener, without a trailing slash. */
  apiUrl: string
  token: Secret<string>
  image: string | null
  limits: InstanceLimits
  placement?: NodeLabels
}

/**
 * Builds the spec of an agent's instance; a pure function. The hash covers everything that
 * distinguishes instances, including the token's fingerprint, so that a former instance never passes
 * for the current one. It excludes the generation, which counts such changes, and the document, which
 * an instance fetches itself and can replace while it runs.
 */
export function buildSpec({ row, token, ...input }: SpecInput): InstanceSpec {
  const pure = { name: instanceName(row), agent: agentOf(row), ...input }
  const hash = hashOf({ ...pure, token: hashGatewayToken(token.release()) })
  const generation = hash === row.specHash ? row.generation : row.generation + 1
  return { ...pure, token, hash, generation }
}

/** A start attempt, and its parts to undo if it fails. */
export interface Attempt {
  row: AgentRow
  /** Set as soon as an instance may exist. */
  driver: RuntimeDriver | null
  /** Set while the runtime creates the instance; settles when creation ends, even after a failed wake. */
  making: Promise<Instance> | null
}

/** Notes that the attempt is about to start or resume an instance. */
export async function noteStarting(
  rows: AgentRepository,
  attempt: Attempt,
  { driver, spec, documentHash }: StartPlan
): Promise<void> {
  attempt.driver = driver
  await rows.save(attempt.row, {
    status: 'starting',
    desired: 'running',
    statusReason: null,
    runtime: driver.name,
    specHash: spec.hash,
    generation: spec.generation,
    documentHash,
  })
}
