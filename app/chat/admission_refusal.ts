import type { IncomingHttpHeaders } from 'node:http'
import { parseJson } from '#bounded/json'

/** Size limit of a refusal: OpenClaw's are far shorter, so a longer response is something else. */
const MAX_BYTES = 4096

interface Refusal {
  type: string
  code?: string
}

/**
 * OpenClaw's refusals of requests it has not admitted: it is stopping or suspended (503), or the token belongs
 * to another gateway (401), for example after the address changed hands. A failed run uses the same statuses
 * but the error type of a model failure: its message was admitted, and the agent may have acted on it.
 */
const REFUSALS: Record<number, Refusal> = {
  401: { type: 'unauthorized' },
  503: { type: 'service_unavailable', code: 'gateway_unavailable' },
}

/** Returns whether a response with this status may be a refusal; only its body decides. */
export function mayBeRefusal(status: number): boolean {
  return Object.hasOwn(REFUSALS, status)
}

/** A response whose status may be a refusal, held until its body decides. */
export class HeldAnswer {
  readonly chunks: Buffer[] = []
  #size = 0

  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders
  ) {}

  /** Returns whether the response may still be a refusal: false once it is too long. */
  add(chunk: Buffer): boolean {
    this.chunks.push(chunk)
    this.#size += chunk.length
    return this.#size <= MAX_BYTES
  }

  /** Returns whether the gateway refused the request. Call it once the body is complete. */
  isRefusal(): boolean {
    const { type, code } = REFUSALS[this.status]
    const said = errorOf(Buffer.concat(this.chunks).toString())
    return said?.type === type && (code === undefined || said.code === code)
  }
}

function errorOf(body: string): { type?: unknown; code?: unknown } | null {
  try {
    return (parseJson(body) as { error?: object } | null)?.error ?? null
  } catch {
    return null
  }
}
