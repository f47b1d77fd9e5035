import { MODEL, USAGE, type Said } from '#tests/e2e/scripted_turn'

/** The events of an answer: those before its content, its content, and its end. */
export interface Events {
  opening: string[]
  words: string[]
  end: string[]
}

const usage = () => ({
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
})

/** Streams an answer of `POST /v1/chat/completions`. */
export function chatEvents(said: Said): Events {
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`
  const delta = (content: object, finish: string | null = null) =>
    event(chunk({ delta: content, finish_reason: finish }))
  const words =
    'text' in said
      ? said.text.split(/(?<= )/).map((content) => delta({ content }))
      : [delta({ tool_calls: callsOf(said).map((call, index) => ({ index, ...call })) })]
  return {
    opening: [delta({ role: 'assistant', content: '' })],
    words,
    end: [
      delta({}, finishOf(said)),
      event({ ...chunk(), choices: [], usage: usage() }),
      'data: [DONE]\n\n',
    ],
  }
}

/** The same answer as one object. */
export function wholeChat(said: Said): object {
  const content =
    'text' in said ? { content: said.text } : { content: null, tool_calls: callsOf(said) }
  const choice = { index: 0, message: { role: 'assistant', ...content } }
  const choices = [{ ...choice, finish_reason: finishOf(said) }]
  return { ...chunk(), object: 'chat.completion', choices, usage: usage() }
}

const finishOf = (said: Said) => ('text' in said ? 'stop' : 'tool_calls')

const chunk = (choice: object = {}) => ({
  ...{ id: 'c1', object: 'chat.completion.chunk', created: 1, model: MODEL },
  choices: [{ index: 0, ...choice }],
})

function callsOf({ calls }: Extract<Said, { calls: unknown }>) {
  return calls.map(({ name, args = {} }, index) => ({
    id: `call_${index + 1}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }))
}
