import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Server as SocketServer } from 'node:net'

/** Plays Mosaic's internal listener for the launcher: serves documents and files to agents. */
export class AgentDocuments {
  readonly #server: Server
  readonly #more: SocketServer[] = []
  readonly #documents = new Map<string, object>()
  readonly #files = new Map<string, { path: string; content: string }[]>()
  /** Requests received, as `<agent> <path> <token>`. */
  readonly asked: { agent: string; path: string; token: string }[] = []
  /** If set, answers every request with this status and code. */
  refusal: { status: number; code: string } | null = null

  constructor() {
    this.#server = createServer((request, response) => {
      const [, agent, path] =
        /^\/api\/internal\/agent-config\/([^/]+\/[^/]+)(\/files)?$/.exec(request.url ?? '') ?? []
      const token = (request.headers.authorization ?? '').replace('Bearer ', '')
      this.asked.push({ agent, path: path ?? '', token })
      const { status, code } = this.refusal ?? { status: 200, code: '' }
      const answer = path
        ? { files: this.#files.get(agent) ?? [] }
        : (this.#documents.get(agent) ?? {})
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(this.refusal ? { errors: [{ code }] } : answer))
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** @param host agents in containers cannot reach this machine's loopback */
  async start(host = '127.0.0.1', port = 0): Promise<this> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return this
  }

  /** Serves requests on this server as well. */
  listenOn(server: SocketServer): void {
    this.#more.push(server.on('connection', (socket) => this.#server.emit('connection', socket)))
  }

  async stop(): Promise<void> {
    for (const server of this.#more) server.close()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  serve(agent: string, document: object, files: { path: string; content: string }[] = []): void {
    this.#documents.set(agent, document)
    this.#files.set(agent, files)
  }
}
