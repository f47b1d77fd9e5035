import { constants } from 'node:os'
import type { Instance, Observed } from '#runtimes/contract'
import { explainExit, type InstanceExit } from '#runtimes/exit_reasons'
import { LABEL } from '#runtimes/engine/labels'
import { OUT_OF_MEMORY } from '#runtimes/drivers/swarm/agent_service'
import type { ClusterNode } from '#runtimes/drivers/swarm/cluster'
import { isWanted, latestOf, type Service, type Task } from '#runtimes/drivers/swarm/objects'

/** Enough lines to show why a task ended. */
export const LAST_LINES = 40

/** The exit code that a container reports for a process killed by the kernel. */
const KILLED = 128 + constants.signals.SIGKILL

/** What is known of an agent: its service, the task of its last start and that task's node. */
export interface Sight {
  service: Service
  task: Task | null
  node: ClusterNode | null
}

export function sightOf(service: Service, tasks: Task[], nodes: ClusterNode[]): Sight {
  const task = latestOf(tasks)
  return { service, task, node: nodes.find(({ id }) => id === task?.NodeID) ?? null }
}

/** Returns the address of the gateway, or null unless it runs on a node that answers. */
export function endpointOf({ service, task, node }: Sight): string | null {
  if (!isWanted(service) || task?.Status.State !== 'running' || !node || node.isLost) return null
  const port = task.Status.PortStatus?.Ports?.[0]?.PublishedPort
  return port ? `http://${node.address}:${port}` : null
}

/** Returns the result of `ensure` for a running task. */
export function instanceOf(sight: Sight): Instance | null {
  const endpoint = endpointOf(sight)
  if (!endpoint) return null
  const name = sight.service.Spec.Labels[LABEL.name]
  return { name, id: sight.task!.ID, endpoint, state: stateOf(sight) }
}

/** @param lines returns the end of its log, which is read only if it ended unasked */
export async function observe(sight: Sight, lines: () => Promise<string[]>): Promise<Observed> {
  const { service, task } = sight
  const { Labels } = service.Spec
  const endpoint = endpointOf(sight)
  const ended = endpoint ? null : await exitOf(sight, lines)
  return {
    name: Labels[LABEL.name],
    agent: Labels[LABEL.agent],
    id: task?.ID ?? service.ID,
    generation: Number(Labels[LABEL.generation]),
    specHash: Labels[LABEL.spec],
    status: endpoint ? 'running' : 'exited',
    endpoint,
    startedAt: endpoint ? new Date(task!.Status.Timestamp) : null,
    exitCode: ended?.code ?? null,
    outOfMemory: ended?.outOfMemory ?? false,
    failure: ended?.failure ?? null,
    state: stateOf(sight),
  }
}

async function exitOf(
  { service, task, node }: Sight,
  lines: () => Promise<string[]>
): Promise<InstanceExit | null> {
  if (!isWanted(service) || !task) return null
  if (node?.isLost) return { code: null, outOfMemory: false, failure: lostFailure(node) }
  const { State, Err = '', ContainerStatus } = task.Status
  if (State === 'rejected') return { code: null, outOfMemory: false, failure: rejection(Err) }
  if (State !== 'failed' && State !== 'complete') return null
  const code = ContainerStatus?.ExitCode ?? null
  if (code === OUT_OF_MEMORY) {
    const failure = { reason: 'out_of_memory' as const, message: 'It ran out of memory.' }
    return { code: KILLED, outOfMemory: true, failure }
  }
  return explainExit({ code, signal: signalOf(code) }, false, await lines().catch(() => []))
}

/** The failure of an agent whose node the swarm has lost. */
export function lostFailure({ name }: ClusterNode) {
  const message = `Its node ${name} is lost.`
  return { reason: 'engine_unreachable' as const, message }
}

/** The failure of a task that its node refused. */
export function rejection(why: string) {
  const reason = /no such image|pull access denied|manifest unknown/i.test(why)
    ? ('image_missing' as const)
    : ('internal' as const)
  return { reason, message: `Its node refused it: ${why}` }
}

function stateOf({ service, task, node }: Sight): Instance['state'] {
  const engine = service.Spec.Labels[LABEL.engine] ?? null
  return { service: service.ID, task: task?.ID ?? null, node: node?.id ?? null, engine }
}

/** A container's first process reports signal n as 128 + n. */
function signalOf(code: number | null): NodeJS.Signals | null {
  const entry = Object.entries(constants.signals).find(([, number]) => code === 128 + number)
  return entry ? (entry[0] as NodeJS.Signals) : null
}
