export interface Leftover {
  pid: number
  name: string
}
export function leftovers(folder: string): Leftover[]
export function endLeftovers(
  found: Pick<Leftover, 'pid'>[],
  places?: { proc?: string; cgroups?: string }
): void
