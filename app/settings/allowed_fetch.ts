import type { Fetch } from '#llm/contract'
import { createGuardedFetch } from '#llm/guarded_fetch'
import type { Settings } from '#settings/settings'

/**
 * Creates a guarded fetch that reaches the private ranges allowed by the settings at the time of each call.
 * After a change of the ranges the next call opens new connections.
 */
export function createAllowedFetch(settings: Settings): Fetch {
  let current: { ranges: string; fetch: Fetch } | null = null

  return async (url, init) => {
    const allowedRanges = await settings.get('network.allowedRanges')
    const ranges = allowedRanges.join()
    if (current?.ranges !== ranges) {
      current = { ranges, fetch: createGuardedFetch({ allowedRanges }) }
    }
    return current.fetch(url, init)
  }
}
