import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A request that changes something or asks for a stream. */
export interface Received {
  method: string
  path: string
  query: Record<string, string>
  body: unknown
  headers: IncomingMessage['headers']
}

type Labels = Record<string, string>

interface KnownContainer {
  id: string
  labels: Labels
  env?: string[]
  /** Address in its only network. */
  address?: string
}

const SWARM_OBJECT = /^\/(services|secrets|configs|nodes)\/[^/]+$/

/** A Docker engine with a few objects that does nothing, behind its own socket. */
export class FakeEngine {
  readonly containers = new Map<string, KnownContainer>()
  readonly volumes = new Map<string, Labels>()
  readonly networks = new Map<string, { labels: Labels; subnet?: string }>()
  /** Objects of a swarm, by path: `/services/<name>`. */
  readonly objects = new Map<string, unknown>()
  /** IDs by name. */
  readonly images = new Map<string, string>()
  readonly received: Received[] = []
  /** Open responses: a followed log, events, a pull. */
  readonly streams: ServerResponse[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'mosaic-fake-engine-'))
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  get socket(): string {
    return join(this.#folder, 'docker.sock')
  }

  async start(): Promise<void> {
    this.#server.listen(this.socket)
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, 'http://docker')
    const path = decodeURIComponent(pathname)
    const look = request.method === 'GET' ? this.#found(path, searchParams) : undefined
    if (look !== undefined) {
      const body = look ?? { message: 'No such thing' }
      return void response.writeHead(look ? 200 : 404).end(JSON.stringify(body))
    }
    const text = Buffer.concat(await Array.fromAsync(request)).toString()
    const isJson = request.headers['content-type'] === 'application/json'
    this.received.push({
      method: request.method!,
      path,
      query: Object.fromEntries(searchParams),
      body: isJson ? JSON.parse(text) : text,
      headers: request.headers,
    })
    if (/\/(logs|events|stats)$/.test(path) || path === '/images/create') {
      this.streams.push(response)
      response.writeHead(200, { 'content-type': 'application/json' }).write('first\n')
      return
    }
    response.writeHead(request.method === 'POST' && path.endsWith('/create') ? 201 : 200)
    response.end(JSON.stringify({ Id: 'made' }))
  }

  /** Returns the object at a path, null if it does not exist, undefined for any other path. */
  #found(path: string, query: URLSearchParams): unknown {
    const [, kind, ...rest] = path.split('/')
    const name = rest.join('/').replace(/\/json$/, '')
    if (SWARM_OBJECT.test(path)) return this.objects.get(path) ?? null
    if (path === '/networks') return [...this.networks.keys()].map((one) => this.#network(one))
    if (kind === 'containers' && rest.length === 2 && rest[1] === 'json')
      return this.#container(name)
    if (kind === 'volumes' && rest.length === 1) {
      const labels = this.volumes.get(name)
      return labels ? { Name: name, Labels: labels, Mountpoint: `/var/lib/docker/${name}` } : null
    }
    if (kind === 'networks' && rest.length === 1) return this.#network(name)
    if (kind === 'images' && path.endsWith('/json')) return this.#image(name)
    if (path === '/containers/json') {
      this.received.push({
        method: 'GET',
        path,
        query: Object.fromEntries(query),
        body: '',
        headers: {},
      })
      return []
    }
    return undefined
  }

  #container(name: string): unknown {
    const known = [...this.containers].find(([one, { id }]) => one === name || id === name)
    if (!known) return null
    const [Name, { id, labels, env, address = '' }] = known
    return {
      Id: id,
      Name: `/${Name}`,
      State: { Status: 'running', Running: true },
      Config: { Labels: labels, Env: env ?? ['SECRET=canary'] },
      HostConfig: { NetworkMode: 'somewhere' },
      NetworkSettings: { Networks: { engine: { IPAddress: address } } },
      Mounts: [{ Source: '/somewhere' }],
    }
  }

  #network(name: string): unknown {
    const known = this.networks.get(name)
    if (!known) return null
    const Config = [{ Subnet: known.subnet ?? '10.213.0.0/29' }]
    return {
      Id: `id-of-${name}`,
      Name: name,
      Labels: known.labels,
      IPAM: { Config },
      Containers: { some: { Name: 'canary' } },
    }
  }

  #image(name: string): unknown {
    const id = this.images.get(name) ?? [...this.images.values()].find((one) => one === name)
    if (!id) return null
    const RepoTags = [...this.images].filter(([, one]) => one === id).map(([one]) => one)
    return { Id: id, RepoTags, RepoDigests: [] }
  }
}
