import { canonicalJson } from '#openclaw/canonical_json'
import type { AgentName } from '#openclaw/agent_name'
import type { AgentDocuments } from '#openclaw/documents'
import { ShortCache } from '#openclaw/short_cache'

/** How long a change made by another replica may go unnoticed, in milliseconds. */
const TTL_MS = 1000

/** Response of the config endpoint, already serialized. */
export interface ServedDocument {
  document: string
  files: string
  etag: string
}

/** Caches agents' serialized documents briefly, so that many agents starting at once cost few queries. */
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
