import { cut } from '#text/cut'
import type { GatewayEvent } from '#openclaw/gateway_socket'

/** Tool output is cut to this many characters; the agent keeps all of it. */
const OUTPUT_LENGTH = 8000

/** Commands, titles and reasons are cut to this many characters. */
const TEXT_LENGTH = 4000

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
  /** The model answering from here on, by the gateway's name. */
  | { kind: 'model'; model: string }
  /** Workspace files that the agent shows with its answer. */
  | { kind: 'media'; paths: string[] }

interface Payload {
  sessionKey?: string
  stream?: string
  ts?: number
  phase?: string
  approval?: Record<string, unknown>
  data?: Record<string, any>
}

/** Parses the events of a session's run. Remembers when each tool began. */
export class RunEvents {
  readonly #begunAt = new Map<string, number>()

  /** @param storedKey the gateway's key of the session; events of others are ignored */
  constructor(protected storedKey: string) {}

  /** Returns null for events that are not shown. */
  read({ event, payload }: GatewayEvent): RunEvent | null {
    const told = (payload ?? {}) as Payload
    if (told.sessionKey !== this.storedKey) return null
    if (event === 'session.approval' && told.approval) return approvalOf(told.approval)
    if (event !== 'agent' || !told.data) return null
    const { stream, data } = told
    if (stream === 'thinking') return textOf(data.delta, (text) => ({ kind: 'reasoning', text }))
    if (stream === 'item' && data.kind === 'tool') return this.#step(data, told.ts)
    if (stream === 'command_output') return this.#output(data, told.ts)
    if (stream === 'lifecycle' && data.phase === 'model' && data.provider && data.model) {
      return { kind: 'model', model: `${data.provider}/${data.model}` }
    }
    if (stream === 'assistant' && Array.isArray(data.mediaUrls)) {
      return { kind: 'media', paths: data.mediaUrls.filter((url) => typeof url === 'string') }
    }
    return null
  }

  #step(data: Record<string, any>, at = Date.now()): ToolStep | null {
    if (typeof data.toolCallId !== 'string') return null
    const phase: ToolPhase = data.phase === 'start' || data.phase === 'end' ? data.phase : 'update'
    return this.#told(data, phase, data.endedAt ?? at, {
      failed: phase === 'end' && data.status !== 'completed',
    })
  }

  #output(data: Record<string, any>, at = Date.now()): ToolStep | null {
    if (typeof data.toolCallId !== 'string' || typeof data.output !== 'string') return null
    return this.#told(data, data.phase === 'end' ? 'end' : 'update', at, {
      failed: data.phase === 'end' && data.status !== 'completed',
      output: cut(data.output, OUTPUT_LENGTH),
    })
  }

  #told(
    data: Record<string, any>,
    phase: ToolPhase,
    at: number,
    more: Pick<ToolStep, 'failed' | 'output'>
  ): ToolStep {
    const id: string = data.toolCallId
    const begunAt = this.#begunAt.get(id) ?? data.startedAt ?? at
    this.#begunAt.set(id, begunAt)
    return {
      kind: 'tool',
      id,
      name: String(data.name ?? 'tool'),
      title: cut(String(data.meta ?? data.title ?? data.name ?? ''), TEXT_LENGTH),
      phase,
      elapsedMs: Math.max(0, Math.round(data.durationMs ?? at - begunAt)),
      ...more,
    }
  }
}

/** Converts a gateway's approval, or returns null if it is unintelligible. */
export function approvalOf(told: Record<string, any>): Approval | null {
  const shown = told.presentation ?? {}
  if (typeof told.id !== 'string' || typeof shown.kind !== 'string') return null
  const allowed: unknown[] = Array.isArray(shown.allowedDecisions) ? shown.allowedDecisions : []
  return {
    kind: 'approval',
    id: told.id,
    about: shown.kind,
    title: cut(String(shown.commandText ?? shown.title ?? ''), TEXT_LENGTH),
    detail: textOf(shown.warningText ?? shown.description, (text) => cut(text, TEXT_LENGTH)),
    decisions: APPROVAL_DECISIONS.filter((decision) => allowed.includes(decision)),
    expiresAt: typeof told.expiresAtMs === 'number' ? new Date(told.expiresAtMs) : null,
    state: typeof told.status === 'string' ? told.status : 'pending',
  }
}

function textOf<Made>(value: unknown, make: (text: string) => Made): Made | null {
  return typeof value === 'string' && value !== '' ? make(value) : null
}
