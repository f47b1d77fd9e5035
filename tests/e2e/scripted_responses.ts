import type { Events } from '#tests/e2e/scripted_chat'
import { MODEL, USAGE, type Said } from '#tests/e2e/scripted_turn'

/** Streams an answer of `POST /v1/responses`. */
export function responseEvents(said: Said): Events {
  let number = 0
  const event = (type: string, data: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number++, ...data })}\n\n`
  const opening = ['response.created', 'response.in_progress'].map((type) =>
    event(type, { response: { ...response(), status: 'in_progress' } })
  )
  const items = itemsOf(said)
  const words = items.flatMap((item, index) => {
    const at = { item_id: item.id, output_index: index }
    const added = event('response.output_item.added', {
      output_index: index,
      item: { ...item, status: 'in_progress', ...(item.content && { content: [] }) },
    })
    const inside = item.content
      ? textEvents(event, item.content[0], at)
      : callEvents(event, item, at)
    return [added, ...inside, event('response.output_item.done', { output_index: index, item })]
  })
  const end = [event('response.completed', { response: { ...response(), ...completed(items) } })]
  return { opening, words, end }
}

/** The same answer as one object. */
export function wholeResponse(said: Said): object {
  return { ...response(), ...completed(itemsOf(said)) }
}

type MakeEvent = (type: string, data: object) => string

function textEvents(event: MakeEvent, part: { text: string }, item: object): string[] {
  const at = { ...item, content_index: 0 }
  const deltas = part.text.split(/(?<= )/)
  return [
    event('response.content_part.added', { ...at, part: { ...part, text: '' } }),
    ...deltas.map((delta) => event('response.output_text.delta', { ...at, delta, logprobs: [] })),
    event('response.output_text.done', { ...at, text: part.text, logprobs: [] }),
    event('response.content_part.done', { ...at, part }),
  ]
}

function callEvents(event: MakeEvent, item: Item, at: object): string[] {
  const { name, arguments: args } = item
  return [
    event('response.function_call_arguments.delta', { ...at, delta: args }),
    event('response.function_call_arguments.done', { ...at, name, arguments: args }),
  ]
}

interface Item {
  id: string
  type: string
  name?: string
  arguments?: string
  content?: { type: string; text: string; annotations: [] }[]
  [field: string]: unknown
}

function itemsOf(said: Said): Item[] {
  if ('text' in said) {
    const content = [{ type: 'output_text', text: said.text, annotations: [] as [] }]
    return [{ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content }]
  }
  return said.calls.map(({ name, args = {} }, index) => ({
    ...{ id: `fc_${index + 1}`, type: 'function_call', status: 'completed' },
    ...{ call_id: `call_${index + 1}`, name, arguments: JSON.stringify(args) },
  }))
}

const response = () => ({
  ...{ id: 'resp_1', object: 'response', created_at: 1, model: MODEL },
  ...{ output: [], error: null, incomplete_details: null, instructions: null, metadata: {} },
  ...{ parallel_tool_calls: true, temperature: 1, tool_choice: 'auto', tools: [], top_p: 1 },
})

const completed = (output: Item[]) => ({
  status: 'completed',
  output,
  usage: {
    input_tokens: USAGE.input,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: USAGE.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: USAGE.input + USAGE.output,
  },
})
