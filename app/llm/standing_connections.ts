import type { Socket } from 'node:net'

/** When the connection that an error ended stood, by `performance.now()`. */
const stoodSince = new WeakMap<object, number>()

/** Remembers a connection that stands now, so that its error can be asked for its age. */
export function watchConnection(socket: Socket): void {
  const since = performance.now()
  socket.once('error', (error) => stoodSince.set(error, since))
}

/**
 * Whether a call failed on a connection that stood before it began: kept open from an earlier call, and
 * closed by the other side at the moment of its next use.
 */
export function failedOnStanding(error: unknown, callBegan: number): boolean {
  for (let link: any = error; typeof link === 'object' && link !== null; link = link.cause) {
    const since = stoodSince.get(link)
    if (since !== undefined) return since < callBegan
  }
  return false
}
