import { RuntimeError } from '#runtimes/errors'
import type { DriverState } from '#runtimes/contract'

/**
 * Refuses an agent that has no data on this engine, if another engine has it: here it would start without its
 * memory.
 *
 * @param state the notes of its last start or import
 * @param here the identity of this engine
 * @param help what to do if the other engine is lost
 * @throws RuntimeError `data_stranded`
 */
export function refuseElsewhere(
  name: string,
  state: DriverState | null | undefined,
  here: string | null,
  help = ''
): void {
  const place = state?.engine
  if (typeof place !== 'string' || place === here) return
  const next = 'Name that engine in the settings of the runtime again: "docker info" prints its ID.'
  throw new RuntimeError('data_stranded', `The data of ${name} is on another engine: ${place}.`, {
    help: `${next} ${help}`.trim(),
  })
}
