/** Labels of every object that Mosaic creates on an engine. Objects without them are never touched. */
import type { InstanceSpec } from '#runtimes/contract'

export const LABEL = {
  installation: 'mosaic.installation',
  agent: 'mosaic.agent',
  name: 'mosaic.name',
  generation: 'mosaic.generation',
  spec: 'mosaic.spec',
  /** The driver's own share of a container's configuration; a different value requires a new container. */
  shape: 'mosaic.shape',
  /** The engine that has the agent's data, as `Engine.identity` tells it. */
  engine: 'mosaic.engine',
  /** The purpose of a container that is not an agent: `filler`, `probe`. */
  purpose: 'mosaic.purpose',
} as const

export type Labels = Record<string, string>

export function agentLabels(spec: InstanceSpec, shape: string, engine: string | null): Labels {
  return {
    [LABEL.installation]: spec.installation,
    [LABEL.agent]: spec.agent,
    [LABEL.name]: spec.name,
    [LABEL.generation]: String(spec.generation),
    [LABEL.spec]: spec.hash,
    [LABEL.shape]: shape,
    ...(engine && { [LABEL.engine]: engine }),
  }
}

/** Returns an engine filter for the agents of an installation. */
export function agentsOf(installation: string): { label: string[] } {
  return { label: [`${LABEL.installation}=${installation}`, LABEL.agent] }
}

export function isOf(installation: string, labels: Labels | null | undefined): boolean {
  return labels?.[LABEL.installation] === installation
}
