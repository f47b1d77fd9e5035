/** How a gateway tells what was said in a session, row by row, and what a person reads of it. */
import { cut } from '#text/cut'
import type { ToolStep } from '#openclaw/run_events'

/** Characters of what a tool printed that are shown; the whole stays with the agent. */
const OUTPUT_LENGTH = 8000

/** A step of a tool that is over. */
export type PastStep = Pick<ToolStep, 'id' | 'name' | 'title' | 'failed' | 'elapsedMs' | 'output'>

/** A picture that the gateway keeps of a message, to be asked for by its id. */
export interface KeptPicture {
  id: string
  type: string
  size: number
}

/** One turn of a conversation, for a person. What is left out was not there. */
export interface GatewayMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: Date
  reasoning?: string
  tools?: PastStep[]
  pictures?: KeptPicture[]
  /** `<provider>/<model>`, as the gateway names it. */
  model?: string
  /** The run failed. OpenClaw's own words about it are left out. */
  failed?: true
}

interface Part {
  type?: string
  text?: string
  thinking?: string
  id?: string
  name?: string
  arguments?: unknown
  artifactId?: string
  mimeType?: string
  bytes?: number
}

export interface StoredMessage {
  role?: string
  content?: string | Part[]
  timestamp?: number
  toolCallId?: string
  isError?: boolean
  provider?: string
  model?: string
  stopReason?: string
  /** Set on what an agent says before it uses a tool. */
  openclawStreamFallback?: object
  __openclaw?: { id?: string; recordTimestampMs?: number; truncated?: boolean }
}

/** What an agent did since its last words. */
interface Work {
  reasoning: string[]
  tools: PastStep[]
  /** Milliseconds of the epoch at which each tool was called. */
  calledAt: Map<string, number>
  /** The first row of it, in case no words follow. */
  first: { stored: StoredMessage; index: number } | null
}

/**
 * The messages of rows, oldest first: an agent's tools and reasoning go with the words that follow them.
 */
export function toMessages(rows: StoredMessage[]): GatewayMessage[] {
  const messages: GatewayMessage[] = []
  let work = noWork()
  const flush = () => {
    if (work.first && (work.tools.length > 0 || work.reasoning.length > 0)) {
      const { stored, index } = work.first
      messages.push({ ...base(stored, index, 'assistant', ''), ...workOf(work) })
    }
    work = noWork()
  }
  rows.forEach((stored, index) => {
    if (stored.role === 'toolResult') return takeResult(work, stored)
    if (stored.role === 'user') {
      flush()
      const text = textOf(stored.content)
      const pictures = picturesOf(stored.content)
      if (!text && pictures.length === 0) return
      messages.push({
        ...base(stored, index, 'user', text),
        ...(pictures.length > 0 && { pictures }),
      })
    } else if (stored.role === 'assistant') {
      work.first ??= { stored, index }
      takeCalls(work, stored)
      const text = textOf(stored.content)
      const pictures = picturesOf(stored.content)
      if (stored.openclawStreamFallback) return void work.reasoning.push(text.trim())
      if (!text && pictures.length === 0) return
      const failed = stored.stopReason === 'error'
      messages.push({
        ...base(stored, index, 'assistant', failed ? '' : text),
        ...workOf(work),
        ...(pictures.length > 0 && { pictures }),
        ...(stored.provider && stored.model && { model: `${stored.provider}/${stored.model}` }),
        ...(failed && { failed }),
      })
      work = noWork()
    }
  })
  flush()
  return messages
}

const noWork = (): Work => ({ reasoning: [], tools: [], calledAt: new Map(), first: null })

function workOf({ reasoning, tools }: Work): Pick<GatewayMessage, 'reasoning' | 'tools'> {
  const thoughts = reasoning.filter(Boolean).join('\n\n')
  return { ...(thoughts && { reasoning: thoughts }), ...(tools.length > 0 && { tools }) }
}

function base(
  stored: StoredMessage,
  index: number,
  role: GatewayMessage['role'],
  text: string
): GatewayMessage {
  const id = stored.__openclaw?.id ?? String(index)
  return { id, role, text, at: new Date(stored.timestamp ?? 0) }
}

function takeCalls(work: Work, { content, timestamp, __openclaw: kept }: StoredMessage): void {
  if (!Array.isArray(content)) return
  for (const part of content) {
    if (part.type === 'thinking' && part.thinking) work.reasoning.push(part.thinking.trim())
    if (part.type !== 'toolCall' || !part.id) continue
    work.calledAt.set(part.id, kept?.recordTimestampMs ?? timestamp ?? 0)
    const name = part.name ?? 'tool'
    const title = titleOf(part.arguments)
    work.tools.push({ id: part.id, name, title, failed: false, elapsedMs: 0 })
  }
}

function takeResult(work: Work, stored: StoredMessage): void {
  const step = work.tools.find(({ id }) => id === stored.toolCallId)
  if (!step) return
  const output = textOf(stored.content)
  step.failed = stored.isError === true
  const calledAt = work.calledAt.get(step.id) ?? 0
  step.elapsedMs = Math.max(0, (stored.timestamp ?? calledAt) - calledAt)
  if (output) step.output = cut(output, OUTPUT_LENGTH)
}

/** The command, or whatever else a tool was asked for first. */
function titleOf(asked: unknown): string {
  const values = Object.values(asked && typeof asked === 'object' ? asked : {})
  const first = values.find((value) => typeof value === 'string')
  return cut(String(first ?? ''), 200)
}

function textOf(content: StoredMessage['content']): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .filter((part) => part.type === 'text')
    .map((part) => part.text ?? '')
    .join('')
}

function picturesOf(content: StoredMessage['content']): KeptPicture[] {
  if (!Array.isArray(content)) return []
  return content.flatMap(({ type, artifactId: id, mimeType, bytes }) =>
    type === 'image' && id ? [{ id, type: mimeType ?? 'image/png', size: bytes ?? 0 }] : []
  )
}
