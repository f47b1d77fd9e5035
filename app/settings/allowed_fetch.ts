import type { Fetch } from '#llm/contract'
import { createGuardedFetch } from '#llm/guarded_fetch'
import type { Settings } from '#settings/settings'

/**
 * The guarded fetch within the private ranges that the settings allow at the moment of the call. When
 * an admin changes them, the next call gets connections of its own.
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
