/** Whoever started it need not wait for it: a failure is kept in the row and in the log. */
export function watched<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
