export interface Leftover {
  pid: number
  name: string
  parent: number
  command: string
  startedAt: number
}
export function leftovers(folder: string): Leftover[]
export function lastingLeftovers(folder: string, withinMs?: number): Promise<Leftover[]>
export function described(
  left: Leftover[],
  files: { file: string; from: number; to: number }[]
): string[]
export function endLeftovers(
  found: Pick<Leftover, 'pid'>[],
  places?: { proc?: string; cgroups?: string }
): void
