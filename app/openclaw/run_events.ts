import { cut } from '#text/cut'
import type { GatewayEvent } from '#openclaw/gateway_socket'

/** Characters of what a tool printed that are told; the whole stays with the agent. */
const OUTPUT_LENGTH = 8000

/** Characters of a command, a title, or a reason that are told. */
const TEXT_LENGTH = 4000

export type ToolPhase = 'start' | 'update' | 'end'

/** A step of a tool that the agent uses. */
export interface ToolStep {
  kind: 'tool'
  id: string
  name: string
  /** What it does, in a few words of OpenClaw. */
  title: string
  phase: ToolPhase
  failed: boolean
  /** Milliseconds since it began; whole at its end. */
  elapsedMs: number
  /** What it printed so far, cut. */
  output?: string
}

export const APPROVAL_DECISIONS = ['allow-once', 'allow-always', 'deny'] as const
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number]
export type ApprovalKind = 'exec' | 'plugin' | 'system-agent'

/** Something that the agent may do only once its owner has agreed. */
export interface Approval {
  kind: 'approval'
  id: string
  about: ApprovalKind
  /** The command, or what a plugin asks for. */
  title: string
  detail: string | null
  decisions: ApprovalDecision[]
  expiresAt: Date | null
  /** `pending`, or how it ended: `allowed`, `denied`, `expired`, … */
  state: string
}

/** What a gateway tells of a run beside its text. */
export type RunEvent =
  | { kind: 'reasoning'; text: string }
  | ToolStep
  | Approval
  /** The model that answers from here on, as the gateway names it. */
  | { kind: 'model'; model: string }
  /** Files of the agent's workspace that it shows with its answer. */
  | { kind: 'media'; paths: string[] }

interface Payload {
  sessionKey?: string
  stream?: string
  ts?: number
  phase?: string
  approval?: Record<string, unknown>
  data?: Record<string, any>
}

/** Reads what a gateway tells of a session's run. It keeps when each tool began. */
export class RunEvents {
  readonly #begunAt = new Map<string, number>()

  /** @param storedKey the session, as the gateway names it: what is told of others is left out */
  constructor(protected storedKey: string) {}

  /** Null for what no person reads. */
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

/** An approval as a gateway describes it, or null for one that is not understood. */
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
