/** An agent's work beside its chats, as a test sets it. Read on each call. */
export interface MemoryWork {
  /** Something runs in the background: a shell, a job. */
  working?: boolean
  /** When its next scheduled job is due, in milliseconds since the epoch. */
  nextJobAt?: number | null
  /** IDs of devices that may connect without the token. They outlive the instance. */
  devices?: string[]
  /** The gateway has no control calls, as without its plugin. */
  uncontrolled?: boolean
}

interface Answer {
  status: number
  body: object
}

const ID = 'suspension-1'

/** The control calls of a gateway double, as in the plugin `admin-http-rpc`. */
export class MemoryControl {
  readonly #work: MemoryWork
  readonly #chats: () => number
  #held: 'none' | 'idle' | 'drain' = 'none'

  constructor(work: MemoryWork, chats: () => number) {
    this.#work = work
    this.#chats = chats
  }

  /** Whether it refuses new work. */
  get isClosed(): boolean {
    return this.#held !== 'none'
  }

  answer({ method, params = {} }: { method?: string; params?: any }): Answer {
    if (this.#work.uncontrolled) return { status: 404, body: { ok: false } }
    if (method === 'gateway.suspend.prepare') return this.#prepare(params.drain === true)
    if (method === 'gateway.suspend.resume') {
      this.#held = 'none'
      return ok({ ok: true, status: 'running' })
    }
    if (this.isClosed) return refused(503, 'UNAVAILABLE')
    if (method === 'device.pair.list') return ok({ pending: [], paired: this.#devices() })
    if (method === 'device.pair.remove') return this.#removeDevice(params.deviceId)
    if (method === 'cron.list') return ok({ jobs: this.#jobs(), hasMore: false })
    return refused(400, 'INVALID_REQUEST')
  }

  #prepare(drain: boolean): Answer {
    if (this.isClosed && (this.#held === 'drain') !== drain) return refused(503, 'UNAVAILABLE')
    const idle = this.#chats() === 0 && !this.#work.working
    if (!idle && !drain) return ok({ status: 'busy', blockers: [] })
    this.#held = drain ? 'drain' : 'idle'
    return ok({ status: idle ? 'ready' : 'draining', suspensionId: ID })
  }

  #devices(): object[] {
    return (this.#work.devices ?? []).map((deviceId) => ({ deviceId }))
  }

  #removeDevice(deviceId: unknown): Answer {
    this.#work.devices = this.#work.devices?.filter((id) => id !== deviceId)
    return ok({ deviceId })
  }

  #jobs(): object[] {
    const { nextJobAt } = this.#work
    return nextJobAt ? [{ id: 'job-1', enabled: true, state: { nextRunAtMs: nextJobAt } }] : []
  }
}

function ok(payload: object): Answer {
  return { status: 200, body: { ok: true, payload } }
}

function refused(status: number, code: string): Answer {
  return { status, body: { ok: false, error: { code, message: 'refused' } } }
}
