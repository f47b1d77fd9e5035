/** Everything that Mosaic makes on an engine carries these; what does not is never touched. */
import type { InstanceSpec } from '#runtimes/contract'

export const LABEL = {
  installation: 'mosaic.installation',
  agent: 'mosaic.agent',
  name: 'mosaic.name',
  generation: 'mosaic.generation',
  spec: 'mosaic.spec',
  /** What the driver itself made of the spec: another one asks for another container. */
  shape: 'mosaic.shape',
  /** What a container is for that is no agent: `filler`, `probe`. */
  purpose: 'mosaic.purpose',
} as const

export type Labels = Record<string, string>

export function agentLabels(spec: InstanceSpec, shape: string): Labels {
  return {
    [LABEL.installation]: spec.installation,
    [LABEL.agent]: spec.agent,
    [LABEL.name]: spec.name,
    [LABEL.generation]: String(spec.generation),
    [LABEL.spec]: spec.hash,
    [LABEL.shape]: shape,
  }
}

/** A filter of the engine for the agents of an installation. */
export function agentsOf(installation: string): { label: string[] } {
  return { label: [`${LABEL.installation}=${installation}`, LABEL.agent] }
}

export function isOf(installation: string, labels: Labels | null | undefined): boolean {
  return labels?.[LABEL.installation] === installation
}
