import { fetch, type RequestInit as UndiciRequestInit } from 'undici'
import type { Fetch } from '#llm/contract'
import { assertCallable, guardedDispatcher, type GuardOptions } from '#llm/guarded_dispatcher'
import { hasCode } from '#drivers/error_code'

/** Deadline for a whole call including its body, in milliseconds. */
const DEADLINE_MS = 10_000

/**
 * Creates the `fetch` for all URLs that people type. It connects through a guarded dispatcher, returns
 * redirects instead of following them, and ends each call, its body included, at a deadline.
 *
 * Rejects with E_BLOCKED_ADDRESS for a forbidden address, with a `TimeoutError` at the deadline, with the
 * reason of `init.signal`, and otherwise like `fetch`.
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
