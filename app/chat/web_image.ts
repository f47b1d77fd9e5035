import { readBytes } from '#bounded/body'
import { E_CHAT_IMAGE } from '#chat/errors'
import type { FetchImage } from '#chat/agent_content'
import type { Fetch } from '#llm/contract'

/** A gateway's size limit for an image, in bytes. */
const MAX_BYTES = 10 * 1024 * 1024
const MAX_MS = 10_000

const IMAGE = /^image\/(?:jpeg|png|gif|webp|heic|heif)$/

/**
 * Fetches images for agents through the guarded fetch: only types a gateway accepts, up to the size limit.
 */
export function webImages(fetch: Fetch): FetchImage {
  return async (url, take) => {
    let refusal: unknown = null
    const hold = (bytes: number) => {
      try {
        take(bytes)
      } catch (error) {
        refusal = error
        throw error
      }
    }
    const limits = { what: 'The image', maxBytes: MAX_BYTES, maxMs: MAX_MS, hold }
    let type = ''
    try {
      const response = await fetch(url, { headers: { accept: 'image/*' } })
      type = (response.headers.get('content-type') ?? '').split(';', 1)[0].trim().toLowerCase()
      if (response.status === 200 && IMAGE.test(type)) {
        const bytes = await readBytes(response.body, limits)
        return `data:${type};base64,${bytes.toString('base64')}`
      }
      await response.body?.cancel()
    } catch (error) {
      if (refusal) throw refusal
      throw new E_CHAT_IMAGE('An image could not be read from its address.', { cause: error })
    }
    throw new E_CHAT_IMAGE('The address of an image leads to something else.')
  }
}
