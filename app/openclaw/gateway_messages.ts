/** Converts the rows of a gateway's session into the messages a person reads. */
import { cut } from '#text/cut'
import { numberIn, objectIn, textIn, timeIn } from '#openclaw/gateway_fields'
import { usageOf, type CallUsage } from '#openclaw/call_usage'
import type { ToolStep } from '#openclaw/run_events'

/** Tool output is cut to this many characters for display; the agent keeps all of it. */
const OUTPUT_LENGTH = 8000

/** Steps of one turn; no run uses as many tools. Later ones are left out. */
const MOST_STEPS = 10_000

/** A completed tool step. */
export type PastStep = Pick<ToolStep, 'id' | 'name' | 'title' | 'failed' | 'elapsedMs' | 'output'>

/** A message's picture, kept by the gateway and fetched by id. */
export interface KeptPicture {
  id: string
  type: string
  size: number
}

/** One turn of a conversation for display. Absent fields were empty. */
export interface GatewayMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: Date
  reasoning?: string
  tools?: PastStep[]
  pictures?: KeptPicture[]
  /** `<provider>/<model>`, by the gateway's name. */
  model?: string
  /** Tokens of all model calls for this answer. */
  usage?: CallUsage
  /** Set if the run failed. OpenClaw's own error text is omitted. */
  failed?: true
  /** Set if its owner stopped it: the text is what there was by then. */
  stopped?: true
}

interface Part {
  type?: string
  text?: string
  thinking?: string
  id?: string
  name?: string
  /** Of a tool call: its first string argument, such as its command. */
  title: string
  artifactId?: string
  mimeType?: string
  bytes?: number
}

/** A row of a gateway's session, reduced to the fields that Mosaic reads. */
export interface StoredMessage {
  role?: string
  content?: string | Part[]
  timestamp?: number
  toolCallId?: string
  isError: boolean
  provider?: string
  model?: string
  stopReason?: string
  usage?: CallUsage
  /** Set on text that an agent writes before it uses a tool. */
  isAside: boolean
  /** Set on what the gateway writes for a stopped run. */
  isAborted: boolean
  id?: string
  recordedAt?: number
  isTruncated: boolean
}

/** Converts what a gateway sends as a row. */
export function storedMessage(value: unknown): StoredMessage {
  const row = objectIn(value)
  const kept = objectIn(row.__openclaw)
  return {
    role: textIn(row.role),
    content: contentIn(row.content),
    timestamp: timeIn(row.timestamp),
    toolCallId: textIn(row.toolCallId),
    isError: row.isError === true,
    provider: textIn(row.provider),
    model: textIn(row.model),
    stopReason: textIn(row.stopReason),
    usage: usageOf(row.usage) ?? undefined,
    isAside: Boolean(row.openclawStreamFallback),
    isAborted: row.stopReason === 'aborted' || objectIn(row.openclawAbort).aborted === true,
    id: textIn(kept.id),
    recordedAt: timeIn(kept.recordTimestampMs),
    isTruncated: kept.truncated === true,
  }
}

function contentIn(content: unknown): StoredMessage['content'] {
  if (!Array.isArray(content)) return textIn(content)
  return content.map(objectIn).map((part) => ({
    type: textIn(part.type),
    text: textIn(part.text),
    thinking: textIn(part.thinking),
    id: textIn(part.id),
    name: textIn(part.name),
    title: titleOf(part.arguments),
    artifactId: textIn(part.artifactId),
    mimeType: textIn(part.mimeType),
    bytes: numberIn(part.bytes),
  }))
}

/** An agent's work since its last text. */
interface Work {
  reasoning: string[]
  tools: PastStep[]
  /** The latest call of each id. `at` is in milliseconds since the epoch. */
  called: Map<string, { step: PastStep; at: number }>
  usage: CallUsage
  /** The first row of this work, in case no text follows. */
  first: { stored: StoredMessage; index: number } | null
}

/**
 * Converts rows to messages, oldest first. An agent's tools and reasoning are attached to the text that
 * follows them.
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
      takeUsage(work, stored)
      const text = textOf(stored.content)
      const pictures = picturesOf(stored.content)
      if (stored.isAside) return void work.reasoning.push(text.trim())
      if (!text && pictures.length === 0) return
      const failed = stored.stopReason === 'error'
      messages.push({
        ...base(stored, index, 'assistant', failed ? '' : text),
        ...workOf(work),
        ...(pictures.length > 0 && { pictures }),
        ...modelOf(stored),
        ...(failed && { failed }),
        ...(stored.isAborted && { stopped: true as const }),
      })
      work = noWork()
    }
  })
  flush()
  return messages
}

/** Provider of messages that the gateway writes itself. */
const OWN_PROVIDER = 'openclaw'

const modelOf = ({ provider, model }: StoredMessage) =>
  provider && model && provider !== OWN_PROVIDER ? { model: `${provider}/${model}` } : {}

const noWork = (): Work => ({
  ...{ reasoning: [], tools: [], called: new Map(), first: null },
  usage: { inputTokens: 0, outputTokens: 0 },
})

function workOf({ reasoning, tools, usage }: Work) {
  const thoughts = reasoning.filter(Boolean).join('\n\n')
  return {
    ...(thoughts && { reasoning: thoughts }),
    ...(tools.length > 0 && { tools }),
    ...(usage.inputTokens + usage.outputTokens > 0 && { usage }),
  }
}

function takeUsage(work: Work, { usage }: StoredMessage): void {
  work.usage.inputTokens += usage?.inputTokens ?? 0
  work.usage.outputTokens += usage?.outputTokens ?? 0
}

function base(
  stored: StoredMessage,
  index: number,
  role: GatewayMessage['role'],
  text: string
): GatewayMessage {
  const id = stored.id ?? String(index)
  return { id, role, text, at: new Date(stored.timestamp ?? 0) }
}

function takeCalls(work: Work, { content, timestamp, recordedAt }: StoredMessage): void {
  if (!Array.isArray(content)) return
  for (const part of content) {
    if (part.type === 'thinking' && part.thinking) work.reasoning.push(part.thinking.trim())
    if (part.type !== 'toolCall' || !part.id || work.tools.length === MOST_STEPS) continue
    const { id, name = 'tool', title } = part
    const step: PastStep = { id, name, title, failed: false, elapsedMs: 0 }
    work.tools.push(step)
    work.called.set(id, { step, at: recordedAt ?? timestamp ?? 0 })
  }
}

function takeResult(work: Work, stored: StoredMessage): void {
  const called = work.called.get(stored.toolCallId ?? '')
  if (!called) return
  const { step, at } = called
  const output = textOf(stored.content)
  step.failed = stored.isError
  step.elapsedMs = Math.max(0, (stored.timestamp ?? at) - at)
  if (output) step.output = cut(output, OUTPUT_LENGTH)
}

/** Returns the tool's first string argument, such as its command. */
function titleOf(asked: unknown): string {
  const first = Object.values(objectIn(asked)).find((value) => typeof value === 'string')
  return cut(first ?? '', 200)
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
