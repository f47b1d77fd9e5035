import type { IncomingHttpHeaders } from 'node:http'

/** OpenClaw's own refusals are far shorter; a longer answer is another one. */
const MAX_BYTES = 4096

interface Refusal {
  type: string
  code?: string
}

/**
 * How OpenClaw refuses a request that it has not admitted: it stops or is suspended (503), or the token is
 * another gateway's (401), as after the address changed hands. A run that failed has the same statuses, with
 * the type of a model's failure: the gateway admitted its message, and the agent may have acted on it.
 */
const REFUSALS: Record<number, Refusal> = {
  401: { type: 'unauthorized' },
  503: { type: 'service_unavailable', code: 'gateway_unavailable' },
}

/** Whether an answer with this status may be such a refusal. Its body tells. */
export function mayBeRefusal(status: number): boolean {
  return Object.hasOwn(REFUSALS, status)
}

/** An answer whose status may be a refusal, held until its body tells. */
export class HeldAnswer {
  readonly chunks: Buffer[] = []
  #size = 0

  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders
  ) {}

  /** Whether it may still be a refusal: false once it is too long. */
  add(chunk: Buffer): boolean {
    this.chunks.push(chunk)
    this.#size += chunk.length
    return this.#size <= MAX_BYTES
  }

  /** Whether the gateway refused the request. Call it once the body is complete. */
  isRefusal(): boolean {
    const { type, code } = REFUSALS[this.status]
    const said = errorOf(Buffer.concat(this.chunks).toString())
    return said?.type === type && (code === undefined || said.code === code)
  }
}

function errorOf(body: string): { type?: unknown; code?: unknown } | null {
  try {
    return JSON.parse(body)?.error ?? null
  } catch {
    return null
  }
}
