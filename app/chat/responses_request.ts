import { conversationName, type Naming } from '#chat/conversation_name'
import { E_CHAT_CONTENT, E_CHAT_NO_INPUT } from '#chat/errors'
import { AGENT_MODEL, readModelRequest, type ModelRequest } from '#chat/openai_request'
import { sessionKey } from '#chat/session_key'
import { unreadablePart, written } from '#chat/written'

type Fields = Record<string, any>

/** A request of `POST /v1/responses`. */
export interface ResponseRequest extends ModelRequest {
  sessionKey: string | null
}

/**
 * Parses as much of a request as the relay needs.
 *
 * @throws E_CHAT_NOT_JSON, E_CHAT_MODEL_NAME, E_CHAT_NO_INPUT
 */
export function readResponseRequest(body: Buffer, naming: Naming = {}): ResponseRequest {
  const read = readModelRequest(body)
  const { input } = read.request
  const isText = typeof input === 'string' && input.trim() !== ''
  if (!isText && !(Array.isArray(input) && input.length > 0)) throw new E_CHAT_NO_INPUT()
  const name = conversationName(read.request, naming)
  return { ...read, sessionKey: name === null ? null : sessionKey('api', name) }
}

/** Fields a gateway accepts unchanged; it refuses requests with unknown fields. */
const PASSED = [
  'instructions',
  'stream',
  'max_output_tokens',
  'temperature',
  'top_p',
  'previous_response_id',
]

/**
 * Converts the request to what OpenClaw 2026.9.6 accepts: unknown fields are dropped, as servers do, and
 * OpenAI's shapes become its own. A named conversation sends only its new items, because the agent remembers
 * the rest.
 *
 * @throws E_CHAT_CONTENT for a message part that would get lost
 */
export function responseBody(request: Fields, isNamed: boolean): string {
  const tools = functionTools(request.tools)
  const choice = toolChoice(request.tool_choice, tools)
  const passed = PASSED.filter((name) => (request[name] ?? null) !== null)
  const instructions = [request.instructions, formatInstruction(request.text?.format)]
  const told = instructions.filter((text) => typeof text === 'string' && text !== '')
  return JSON.stringify({
    ...Object.fromEntries(passed.map((name) => [name, request[name]])),
    ...(told.length > 0 && { instructions: told.join('\n\n') }),
    ...(tools.length > 0 && { tools }),
    ...(choice !== undefined && { tool_choice: choice }),
    model: AGENT_MODEL,
    input: typeof request.input === 'string' ? request.input : itemsOf(request.input, isNamed),
  })
}

/** The gateway only supports text, so the instructions ask the model for the format. */
function formatInstruction(format: Fields | undefined): string | null {
  if (format?.type === 'json_object') return 'Answer with one JSON object and nothing else.'
  if (format?.type !== 'json_schema') return null
  const schema = JSON.stringify(format.schema ?? {})
  return `Answer with one JSON object and nothing else. It must match this JSON Schema: ${schema}`
}

/** Tools that the client runs itself; a service's built-in tools do not exist for the agent. */
function functionTools(tools: unknown): Fields[] {
  if (!Array.isArray(tools)) return []
  return tools
    .filter((tool) => tool?.type === 'function' && typeof tool.name === 'string')
    .map(({ type, name, description, parameters, strict }) => ({
      type,
      name,
      ...(typeof description === 'string' && { description }),
      ...(typeof parameters === 'object' && parameters !== null && { parameters }),
      ...(typeof strict === 'boolean' && { strict }),
    }))
}

function toolChoice(choice: unknown, tools: Fields[]): unknown {
  if (tools.length === 0) return undefined
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice
  const { type, name } = (choice ?? {}) as Fields
  return type === 'function' && typeof name === 'string' ? { type, name } : undefined
}

function itemsOf(input: Fields[], isNamed: boolean): Fields[] {
  const items = input.map(toItem).filter((item) => item !== null)
  return isNamed ? newItems(items) : wholeHistory(items)
}

/**
 * Returns null for items a gateway does not read: reasoning, references, calls of a service's built-in tools.
 */
function toItem(item: Fields): Fields | null {
  const { type, role, id, call_id: callId, name, output } = item ?? {}
  if (type === 'function_call') {
    return { type, ...(id && { id }), call_id: callId, name, arguments: item.arguments ?? '' }
  }
  if (type === 'function_call_output') return { type, call_id: callId, output: textOf(output) }
  if (typeof role !== 'string' || (type !== undefined && type !== 'message')) return null
  const content = Array.isArray(item.content) ? item.content.map(toPart) : (item.content ?? '')
  return { type: 'message', role, content }
}

function textOf(output: unknown): string {
  if (typeof output === 'string') return output
  if (!Array.isArray(output)) return JSON.stringify(output ?? '')
  return output.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('\n')
}

const DATA_URL = /^data:([^;,]+)(?:;[^,]*)?;base64,(.+)$/s

function toPart(part: Fields): Fields {
  switch (part?.type) {
    case 'input_text':
    case 'output_text':
      return { type: part.type, text: written(part.text) }
    case 'text':
      return { type: 'input_text', text: written(part.text) }
    case 'refusal':
      return { type: 'output_text', text: written(part.refusal) }
    case 'input_image':
      return { type: 'input_image', source: part.source ?? sourceOf(part.image_url, 'image') }
    case 'input_file': {
      const source = part.source ?? sourceOf(part.file_data, 'file')
      return { type: 'input_file', source: { ...source, ...named(part.filename) } }
    }
    default:
      throw unreadablePart(part?.type)
  }
}

const named = (filename: unknown) => (typeof filename === 'string' && filename ? { filename } : {})

function sourceOf(url: unknown, what: string): Fields {
  const data = typeof url === 'string' ? DATA_URL.exec(url) : null
  if (!data) throw new E_CHAT_CONTENT(`Your agent takes each ${what} as a base64 data: URL.`)
  return { type: 'base64', media_type: data[1], data: data[2] }
}

/** Returns the items after the last answer, and the calls whose results are among them. */
function newItems(items: Fields[]): Fields[] {
  const start = items.findLastIndex(isAnswer) + 1
  const fresh = items.slice(start)
  const results = new Set(fresh.filter(isResult).map((item) => item.call_id))
  const kept = items
    .slice(0, start)
    .filter((item) => isSystem(item) || (!isResult(item) && results.has(item.call_id)))
  const isSaid = fresh.some((item) => !isSystem(item))
  return isSaid ? [...kept, ...fresh] : [...kept, ...fresh, GO_ON]
}

/** Returns all items; a list that ends with an answer asks for more of it. */
function wholeHistory(items: Fields[]): Fields[] {
  const last = items.findLast((item) => !isSystem(item))
  return last && isAnswer(last) ? [...items, GO_ON] : items
}

const isAnswer = ({ role, type }: Fields) => role === 'assistant' || type === 'function_call'
const isResult = ({ type }: Fields) => type === 'function_call_output'
const isSystem = ({ role }: Fields) => role === 'system' || role === 'developer'
const GO_ON = { type: 'message', role: 'user', content: 'Continue.' }
