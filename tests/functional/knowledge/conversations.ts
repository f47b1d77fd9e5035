import type { ConversationSource, SourceMessage } from '#knowledge/archive/archive_ingestion'

/** Messages per page, unless said otherwise. */
const PART = 20

/** An agent's conversations by id, returned in pages as the gateway does. */
export class Conversations implements ConversationSource {
  constructor(readonly part = PART) {}

  readonly said = new Map<string, SourceMessage[]>()
  /** Number of reads before one fails. */
  reads = Infinity

  say(id: string, ...texts: string[]): void {
    this.sayAt(Date.now() - 60_000, id, ...texts)
  }

  /** `since` is the time of the conversation's first message, in milliseconds since the epoch. */
  sayAt(since: number, id: string, ...texts: string[]): void {
    const messages = this.said.get(id) ?? []
    for (const text of texts) {
      const at = new Date(since + messages.length)
      const role = messages.length % 2 === 0 ? 'user' : 'assistant'
      messages.push({ id: `m${messages.length}`, role, text, at })
    }
    this.said.set(id, messages)
  }

  async list() {
    return [...this.said].map(([id, messages]) => ({
      id,
      title: `About ${id}`,
      updatedAt: messages.at(-1)!.at,
    }))
  }

  async read(id: string, cursor?: string) {
    if (this.reads-- <= 0) throw new Error('the agent went away')
    const all = this.said.get(id)
    if (!all) return null
    const end = cursor === undefined ? all.length : Number(cursor)
    const begin = Math.max(0, end - this.part)
    return { messages: all.slice(begin, end), nextCursor: begin > 0 ? String(begin) : null }
  }
}

/** Twenty conversations of five hundred messages each: the same in each process that is told the same time. */
export function manyMessages(since: number): Conversations {
  const agent = new Conversations(200)
  for (let one = 0; one < 20; one++) {
    const texts = Array.from({ length: 500 }, (_, index) => `message ${index} of talk ${one}`)
    agent.sayAt(since, `talk-${one}`, ...texts)
  }
  return agent
}
