import { canonicalJson } from '#openclaw/canonical_json'
import type { AgentName } from '#openclaw/agent_name'
import type { AgentDocuments } from '#openclaw/documents'
import { ShortCache } from '#openclaw/short_cache'

/** How long another replica's change of a row may stay unseen: milliseconds. */
const TTL_MS = 1000

/** What the config endpoint sends, ready as text. */
export interface ServedDocument {
  document: string
  files: string
  etag: string
}

/** Agents' documents as text, kept for a moment: many agents that start at once cost few queries. */
export class ServedDocuments {
  readonly #ready = new ShortCache<ServedDocument>({ ttlMs: TTL_MS, capacity: 1000 })

  constructor(protected documents: AgentDocuments) {}

  /** @throws E_NO_PROVIDER */
  async forAgent(agent: AgentName): Promise<ServedDocument> {
    const served = await this.#ready.get(agent, async () => {
      const { document, files, hash } = await this.documents.forAgent(agent)
      return {
        document: canonicalJson(document),
        files: canonicalJson({ files }),
        etag: `"${hash}"`,
      }
    })
    return served!
  }

  clear(): void {
    this.#ready.clear()
  }
}
