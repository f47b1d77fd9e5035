import { cut } from '#text/cut'

/** Most characters of a message that the answer repeats. */
const MAX_QUOTE = 400

/** A common rule of thumb for English; the demo has no tokenizer. */
const CHARACTERS_PER_TOKEN = 4

/** Most characters of a message that are read; a longer one is counted, and quoted from its beginning. */
const MAX_READ = 200_000

/** Text that OpenClaw adds around a user's words: the time before, a line of facts after. */
const TIME_BEFORE = /^\[[A-Z][a-z]{2} \d{4}-\d{2}-\d{2} \d{2}:\d{2}[^\]]*\]/
const FACTS_BEHIND = '\nRuntime: agent='
/** With the full profile, OpenClaw adds its own message in the user's name. */
const NOTES_BEGIN = '<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>'
const NOTES_END = '<<<END_OPENCLAW_INTERNAL_CONTEXT>>>'

export interface DemoAnswer {
  text: string
  /** In OpenAI's shape; estimates. */
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
}

/**
 * Returns the demo model's answer to a conversation in OpenAI's shape: what the model is, and what it received.
 */
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

/** Returns the text of a message, whose content is a string or a list of parts. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

/** Untrusted text, so every step is linear in its length. */
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
