import { cut, shortened } from '#text/cut'
import { listIn, numberIn, objectIn, textIn, timeIn } from '#openclaw/gateway_fields'
import type { GatewayEvent } from '#openclaw/gateway_socket'

/** Tool output is cut to this many characters; the agent keeps all of it. */
const OUTPUT_LENGTH = 8000

/** Titles and reasons are cut to this many characters. */
const TEXT_LENGTH = 4000

/** Limit of what is asked and of its reason. Owners cannot allow a longer one, because they cannot see all of it. */
const ASKED_LENGTH = 20_000

/** Ids of approvals become parts of addresses. OpenClaw's are UUIDs, with a prefix or without. */
const APPROVAL_ID = /^[\w:-]{1,200}$/

export type ToolPhase = 'start' | 'update' | 'end'

/** A step of a running tool. */
export interface ToolStep {
  kind: 'tool'
  id: string
  name: string
  /** OpenClaw's short description of the step. */
  title: string
  phase: ToolPhase
  failed: boolean
  /** Milliseconds since it began; the total once it has ended. */
  elapsedMs: number
  /** Its output so far, cut. */
  output?: string
}

export const APPROVAL_DECISIONS = ['allow-once', 'allow-always', 'deny'] as const
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number]
export type ApprovalKind = 'exec' | 'plugin' | 'system-agent'

/** An action that needs the owner's approval. */
export interface Approval {
  kind: 'approval'
  id: string
  about: ApprovalKind
  /** The command, or a plugin's request. */
  title: string
  detail: string | null
  /** Whether title and detail show the whole request. If not, it can only be denied. */
  isWhole: boolean
  decisions: ApprovalDecision[]
  expiresAt: Date | null
  /** `pending`, or the outcome: `allowed`, `denied`, `expired`, … */
  state: string
}

/** Events of a run other than its text. */
export type RunEvent =
  | { kind: 'reasoning'; text: string }
  | ToolStep
  | Approval
  /**
   * The model answering from here on, by the gateway's name. `insteadOf` is a name told before that was the
   * service's own.
   */
  | { kind: 'model'; model: string; insteadOf?: string }
  /** Workspace files that the agent shows with its answer. */
  | { kind: 'media'; paths: string[] }

/** Files of one event. */
const MOST_FILES = 100

/** Tools whose start is remembered; no run uses as many. */
const MOST_TOOLS = 10_000

interface Payload {
  sessionKey?: unknown
  stream?: unknown
  ts?: unknown
  approval?: unknown
  message?: unknown
  data?: unknown
}

/** Parses the events of a session's run. Remembers when each tool began. */
export class RunEvents {
  readonly #begunAt = new Map<string, number>()
  /** The model that the run has told last. */
  #model: string | null = null
  /** Provider of the model that is being tried, or null between tries. */
  #trying: string | null = null

  /** @param storedKey the gateway's key of the session; events of others are ignored */
  constructor(protected storedKey: string) {}

  /** Returns null for events that are not shown. */
  read({ event, payload }: GatewayEvent): RunEvent | null {
    const told: Payload = objectIn(payload)
    if (told.sessionKey !== this.storedKey) return null
    if (event === 'session.approval' && told.approval) return approvalOf(told.approval)
    if (event === 'session.message') return this.#stored(told.message)
    if (event !== 'agent' || !told.data) return null
    const { stream } = told
    const data = objectIn(told.data)
    if (stream === 'thinking') return textOf(data.delta, (text) => ({ kind: 'reasoning', text }))
    if (stream === 'item' && data.kind === 'tool') return this.#step(data, told.ts)
    if (stream === 'command_output') return this.#output(data, told.ts)
    if (stream === 'lifecycle' && data.phase === 'model') return this.#tried(data)
    if (stream === 'assistant' && Array.isArray(data.mediaUrls)) {
      const paths = data.mediaUrls.slice(0, MOST_FILES).map((url) => textIn(url, TEXT_LENGTH))
      return { kind: 'media', paths: paths.filter((path) => path !== undefined) }
    }
    return null
  }

  /**
   * Each try begins with the model that is asked. Further names before the try ends are what its service calls
   * it, such as a dated version.
   */
  #tried(data: Record<string, unknown>): RunEvent | null {
    const [provider, model] = [data.provider, data.model].map((name) => textIn(name, TEXT_LENGTH))
    const isSameTry = provider !== undefined && provider === this.#trying
    this.#trying = provider ?? null
    if (!provider || !model || isSameTry) return null
    this.#model = referenceOf(provider, model)
    return { kind: 'model', model: this.#model }
  }

  /** A stored answer names the model that was asked, where a run may tell its service's name for it alone. */
  #stored(message: unknown): RunEvent | null {
    const [provider, model] = writerOf(message) ?? []
    if (!provider || !model) return null
    const reference = referenceOf(provider, model)
    const insteadOf = this.#model
    if (insteadOf === null) {
      this.#model = reference
      return { kind: 'model', model: reference }
    }
    if (reference === insteadOf || !insteadOf.startsWith(`${provider}/`)) return null
    this.#model = reference
    return { kind: 'model', model: reference, insteadOf }
  }

  #step(data: Record<string, unknown>, at: unknown): ToolStep | null {
    const phase: ToolPhase = data.phase === 'start' || data.phase === 'end' ? data.phase : 'update'
    return this.#told(data, phase, data.endedAt ?? at, {
      failed: phase === 'end' && data.status !== 'completed',
    })
  }

  #output(data: Record<string, unknown>, at: unknown): ToolStep | null {
    if (typeof data.output !== 'string') return null
    return this.#told(data, data.phase === 'end' ? 'end' : 'update', at, {
      failed: data.phase === 'end' && data.status !== 'completed',
      output: cut(data.output, OUTPUT_LENGTH),
    })
  }

  #told(
    data: Record<string, unknown>,
    phase: ToolPhase,
    at: unknown,
    more: Pick<ToolStep, 'failed' | 'output'>
  ): ToolStep | null {
    const id = textIn(data.toolCallId, TEXT_LENGTH)
    if (id === undefined) return null
    const now = timeIn(at) ?? Date.now()
    const begunAt = this.#begunAt.get(id) ?? timeIn(data.startedAt) ?? now
    if (this.#begunAt.size < MOST_TOOLS) this.#begunAt.set(id, begunAt)
    const name = textIn(data.name, TEXT_LENGTH)
    return {
      kind: 'tool',
      id,
      name: name ?? 'tool',
      title: cut(textIn(data.meta) ?? textIn(data.title) ?? name ?? '', TEXT_LENGTH),
      phase,
      elapsedMs: Math.max(0, Math.round(numberIn(data.durationMs) ?? now - begunAt)),
      ...more,
    }
  }
}

/** Provider and model of a stored answer, or null for any other message. */
function writerOf(message: unknown): (string | undefined)[] | null {
  const told = objectIn(message)
  if (told.role !== 'assistant' || told.stopReason === 'error') return null
  return [told.provider, told.model].map((name) => textIn(name, TEXT_LENGTH))
}

/** Some events name a model with its provider, others without. */
function referenceOf(provider: string, model: string): string {
  return model.startsWith(`${provider}/`) ? model : `${provider}/${model}`
}

/** Converts a gateway's approval, or returns null if it is unintelligible. */
export function approvalOf(value: unknown): Approval | null {
  const told = objectIn(value)
  const shown = objectIn(told.presentation)
  const [id, about] = [textIn(told.id), textIn(shown.kind, TEXT_LENGTH)]
  if (id === undefined || !APPROVAL_ID.test(id) || about === undefined) return null
  const title = textIn(shown.commandText) ?? textIn(shown.title) ?? ''
  const detail = textIn(shown.warningText ?? shown.description) ?? ''
  const isWhole = Math.max(title.length, detail.length) <= ASKED_LENGTH
  const allowed = listIn(shown.allowedDecisions)
  const expiresAt = timeIn(told.expiresAtMs)
  return {
    kind: 'approval',
    id,
    about: about as ApprovalKind,
    title: shortened(title, ASKED_LENGTH),
    detail: shortened(detail, ASKED_LENGTH) || null,
    isWhole,
    decisions: APPROVAL_DECISIONS.filter(
      (decision) => allowed.includes(decision) && (isWhole || decision === 'deny')
    ),
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    state: textIn(told.status, TEXT_LENGTH) ?? 'pending',
  }
}

function textOf<Made>(value: unknown, make: (text: string) => Made): Made | null {
  return typeof value === 'string' && value !== '' ? make(value) : null
}
