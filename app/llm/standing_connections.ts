import type { Socket } from 'node:net'

/** When the connection that ended with an error was established, by `performance.now()`. */
const stoodSince = new WeakMap<object, number>()

/** Records when a connection was established, so that its error reveals its age. */
export function watchConnection(socket: Socket): void {
  const since = performance.now()
  socket.once('error', (error) => stoodSince.set(error, since))
}

/**
 * Returns whether a call failed on a connection older than the call: a keep-alive connection that the other
 * side closed as it was reused.
 */
export function failedOnStanding(error: unknown, callBegan: number): boolean {
  for (let link: any = error; typeof link === 'object' && link !== null; link = link.cause) {
    const since = stoodSince.get(link)
    if (since !== undefined) return since < callBegan
  }
  return false
}
