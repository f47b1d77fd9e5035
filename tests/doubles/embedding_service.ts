import { LoopbackService, type Received, type Reply } from '#tests/contracts/loopback_service'

/** Characters of a piece of a word. */
const PIECES = [3, 4]

/**
 * An embedding service on loopback, with OpenAI's API. It knows no language: a vector counts the hashed pieces of a
 * text's words, of three and four characters. So it finds "sleeping" for "sleep", but never "nap".
 */
export class EmbeddingService {
  /** Number of texts it made vectors of. */
  texts = 0
  /** Set for a service that fails. */
  status = 200

  private constructor(
    readonly server: LoopbackService,
    readonly dimensions: number
  ) {}

  static async start(dimensions = 384): Promise<EmbeddingService> {
    let service: EmbeddingService
    const server = await LoopbackService.start((request) => service.#answer(request))
    service = new EmbeddingService(server, dimensions)
    return service
  }

  /** Base URL of its API. */
  get url(): string {
    return `${this.server.url}/v1`
  }

  close(): Promise<void> {
    return this.server.close()
  }

  #answer({ method, url, body }: Received): Reply {
    if (`${method} ${url}` !== 'POST /v1/embeddings') return { status: 404, json: {} }
    if (this.status !== 200) return { status: this.status, json: {} }
    const { input } = body as { input: string | string[] }
    const texts = [input].flat()
    this.texts += texts.length
    const data = texts.map((text, index) => ({
      object: 'embedding',
      index,
      embedding: vectorOf(text, this.dimensions),
    }))
    const tokens = texts.join(' ').split(/\s+/).length
    return { status: 200, json: { data, usage: { prompt_tokens: tokens, total_tokens: tokens } } }
  }
}

/** Counts pieces by their hash; the sign of each is hashed too, so that collisions cancel out. */
export function vectorOf(text: string, dimensions: number): number[] {
  const vector = new Array<number>(dimensions).fill(0)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) {
    const padded = `^${word}$`
    for (const length of PIECES) {
      for (let at = 0; at + length <= padded.length; at++) {
        const hash = fnv(padded.slice(at, at + length))
        vector[(hash >>> 1) % dimensions] += hash & 1 ? 1 : -1
      }
    }
  }
  if (!vector.some(Boolean)) vector[0] = 1
  return vector
}

/** FNV-1a, 32 bits. */
function fnv(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}
