import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { archive } from '#runtimes/archive'

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const CONFIG = 'application/vnd.docker.container.image.v1+json'
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/** An image registry for engines. On loopback, engines require no TLS. */
export class ImageRegistry {
  readonly #server: Server
  readonly #blobs = new Map<string, Buffer>()
  readonly #tags = new Map<string, Buffer>()
  /** Milliseconds per layer. */
  layerMs = 0
  /** Requests received, as `GET /v2/…`. */
  readonly asked: string[] = []

  constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`)
      this.#serve(request.url ?? '', response).catch(() => response.destroy())
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Returns an engine's reference to an image of this registry. */
  reference(name: string): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`
  }

  /** Publishes a new image under the name, such as `agent:1`, with layers that no engine has. */
  publish(name: string, layers = 3): void {
    const tars = Array.from({ length: layers }, (_, index) =>
      archive([{ path: `file-${index}`, content: randomBytes(64_000), mode: 0o644, uid: 0 }])
    )
    const config = Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      })
    )
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: CONFIG, ...this.#keep(config) },
        layers: tars.map((tar) => ({ mediaType: LAYER, ...this.#keep(gzipSync(tar)) })),
      })
    )
    this.#tags.set(name, manifest)
    this.#tags.set(`${name.split(':')[0]}@${digestOf(manifest)}`, manifest)
  }

  #keep(blob: Buffer): { digest: string; size: number } {
    const digest = digestOf(blob)
    this.#blobs.set(digest, blob)
    return { digest, size: blob.length }
  }

  async #serve(url: string, response: ServerResponse): Promise<void> {
    if (url === '/v2/') return void response.end('{}')
    const [, name, kind, key] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? []
    const glue = key?.startsWith('sha256:') ? '@' : ':'
    const found = kind === 'blobs' ? this.#blobs.get(key) : this.#tags.get(`${name}${glue}${key}`)
    if (!found) {
      response.writeHead(404, { 'content-type': 'application/json' })
      return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}')
    }
    if (kind === 'blobs' && this.layerMs > 0) await after(this.layerMs, undefined, { ref: false })
    response.writeHead(200, {
      'content-type': kind === 'manifests' ? MANIFEST : 'application/octet-stream',
      'content-length': found.length,
      'docker-content-digest': digestOf(found),
    })
    response.end(found)
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
