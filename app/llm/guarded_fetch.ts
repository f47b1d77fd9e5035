import { fetch, type RequestInit as UndiciRequestInit } from 'undici'
import type { Fetch } from '#llm/contract'
import { assertCallable, guardedDispatcher, type GuardOptions } from '#llm/guarded_dispatcher'
import { hasCode } from '#drivers/error_code'

/** Milliseconds for a whole call, its body included. */
const DEADLINE_MS = 10_000

/**
 * The `fetch` for every address that a person typed. It connects through a guarded dispatcher, hands a
 * redirect back instead of following it, and ends each call, its body included, at a deadline.
 *
 * It rejects with E_BLOCKED_ADDRESS for what may not be called, with a `TimeoutError` at the deadline,
 * with the reason of `init.signal`, and else as `fetch` does.
 */
export function createGuardedFetch({
  deadlineMs = DEADLINE_MS,
  ...guard
}: GuardOptions & { deadlineMs?: number }): Fetch {
  const dispatcher = guardedDispatcher(guard)

  return async (url, init = {}) => {
    const { href } = assertCallable(url)
    const deadline = AbortSignal.timeout(deadlineMs)
    const signal = init.signal ? AbortSignal.any([init.signal, deadline]) : deadline
    const request = { ...init, signal, redirect: 'manual', dispatcher } as UndiciRequestInit
    try {
      return (await fetch(href, request)) as unknown as Response
    } catch (error) {
      const { cause } = error as Error
      throw hasCode(cause, 'E_BLOCKED_ADDRESS') ? cause : error
    }
  }
}
