import { cut } from '#text/cut'

/** As much of a message as is repeated, in characters. */
const MAX_QUOTE = 400

/** A common rule of thumb for English; the demo has no tokens of its own. */
const CHARACTERS_PER_TOKEN = 4

/** As much of a message as is read, in characters: longer ones are counted, and quoted from their beginning. */
const MAX_READ = 200_000

/** What OpenClaw puts around a user's words: the time before them, a line of facts behind them. */
const TIME_BEFORE = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]]*\]/
const FACTS_BEHIND = '\nRuntime: agent='
/** With its full profile, OpenClaw adds a message of its own in the user's name. */
const NOTES_BEGIN = '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>'
const NOTES_END = '<<<END_OPENCLAW_INTERNAL_CONTEXT>>>'

export interface DemoAnswer {
  text: string
  /** In OpenAI's shape, estimated. */
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
}

/** The demo model's answer to a conversation in OpenAI's shape: what it is, and what it was sent. */
export function describeConversation(messages: unknown[]): DemoAnswer {
  const sent = messages.map((message) => ({
    role: String((message as any)?.role ?? ''),
    text: textOf((message as any)?.content),
  }))
  const characters = sent.reduce((sum, { text }) => sum + text.length, 0)
  const written = sent
    .filter(({ role }) => role === 'user')
    .map(({ text }) => withoutWrapper(text))
    .filter((text) => text !== '')
  const last = written.at(-1) ?? ''

  const text = [
    'This is the demo model of Mosaic. It is no AI: it only repeats and describes what it was sent.',
    last === '' ? 'There was no message from you.' : `You wrote:\n\n${quoted(last)}`,
    `It came in ${counted(sent.length, 'message')}, ${written.length} of them yours, with ${counted(characters, 'character')} in all.`,
    'To talk to a real model, add a provider under Settings → Providers.',
  ].join('\n\n')

  const prompt = Math.ceil(characters / CHARACTERS_PER_TOKEN)
  const completion = Math.ceil(text.length / CHARACTERS_PER_TOKEN)
  return {
    text,
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
    },
  }
}

/** The text of a message, whose content is a string or a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** Text of others, so every step is linear in its length. */
function withoutWrapper(text: string): string {
  const words = withoutNotes(text.slice(0, MAX_READ)).replace(TIME_BEFORE, '')
  const facts = words.lastIndexOf(FACTS_BEHIND)
  const isLastLine = facts >= 0 && !words.includes('\n', facts + 1)
  return (isLastLine ? words.slice(0, facts) : words).trim()
}

function withoutNotes(text: string): string {
  const kept: string[] = []
  let at = 0
  for (;;) {
    const begin = text.indexOf(NOTES_BEGIN, at)
    const end = begin < 0 ? -1 : text.indexOf(NOTES_END, begin)
    if (end < 0) break
    kept.push(text.slice(at, begin))
    at = end + NOTES_END.length
  }
  return kept.join('') + text.slice(at)
}

function quoted(text: string): string {
  const short = text.length > MAX_QUOTE ? `${cut(text, MAX_QUOTE)}…` : text
  return short.replace(/^/gm, '> ')
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
