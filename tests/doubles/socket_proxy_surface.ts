import { request as send, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { Secret } from '@adonisjs/core/helpers'
import type { InstanceSpec } from '#runtimes/contract'
import { agentContainer } from '#runtimes/drivers/docker/container_options'
import type { SocketProxyConfig } from '#socket_proxy/config'
import { SocketProxy } from '#socket_proxy/socket_proxy'
import { FakeEngine } from '#tests/doubles/fake_engine'

export const INSTALLATION = 'inst1'
export const OURS = { 'mosaic.installation': INSTALLATION }
export const IMAGE_ID = `sha256:${'a'.repeat(64)}`
export const FOREIGN_IMAGE_ID = `sha256:${'b'.repeat(64)}`

const SPEC: InstanceSpec = {
  name: 'mosaic-user-abc',
  agent: 'user/abc',
  installation: INSTALLATION,
  generation: 1,
  hash: 'c'.repeat(64),
  apiUrl: 'http://mosaic-internal:3334',
  token: new Secret('canary-token'),
  image: null,
  limits: { memoryMb: 2048, cpus: 2, processes: 512 },
}

interface Answer {
  status: number
  body: any
}

/** A socket proxy in front of an inert engine with one agent's objects. */
export class SocketProxySurface {
  readonly engine = new FakeEngine()
  #proxy: SocketProxy | null = null
  #address = new URL('tcp://127.0.0.1:0')

  async start(config: Partial<SocketProxyConfig> = {}): Promise<void> {
    const { engine } = this
    engine.images.set('ghcr.io/openclaw/openclaw:1', IMAGE_ID)
    engine.images.set('alpine:3', FOREIGN_IMAGE_ID)
    engine.volumes.set('mosaic-user-abc-state', { ...OURS, 'mosaic.name': 'mosaic-user-abc' })
    engine.volumes.set('mosaic-user-abc-handed', { ...OURS, 'mosaic.name': 'mosaic-user-abc' })
    engine.volumes.set('mosaic-user-xyz-state', { ...OURS, 'mosaic.name': 'mosaic-user-xyz' })
    engine.volumes.set('database', {})
    engine.networks.set('agents', { labels: OURS })
    engine.networks.set('xyz-net', { labels: { ...OURS, 'mosaic.name': 'mosaic-user-xyz' } })
    engine.networks.set('operator', { labels: {}, subnet: '192.168.7.0/24' })
    engine.containers.set('mosaic-user-abc', {
      id: 'aaa',
      labels: { ...OURS, 'mosaic.agent': 'user/abc' },
    })
    engine.containers.set('filler', { id: 'fff', labels: { ...OURS, 'mosaic.purpose': 'filler' } })
    engine.containers.set('database', { id: 'ddd', labels: {} })
    engine.containers.set('other', { id: 'ooo', labels: { 'mosaic.installation': 'inst2' } })
    engine.containers.set('mosaic', { id: 'mmm', labels: {}, address: '127.0.0.1' })
    engine.containers.set('labelled', {
      id: 'lll',
      labels: { 'mosaic.server': 'true' },
      address: '127.0.0.9',
    })
    await engine.start()
    this.#proxy = new SocketProxy({
      host: '127.0.0.1',
      port: 0,
      engine: engine.socket,
      images: ['ghcr.io/openclaw/openclaw'],
      installation: INSTALLATION,
      memory: null,
      range: '10.213.0.0/16',
      secretsFolder: null,
      swarm: null,
      ceilings: { memoryMb: 8192, cpus: 8, processes: 4096 },
      ...config,
    })
    this.#address = new URL(await this.#proxy.start())
  }

  async stop(): Promise<void> {
    await this.#proxy?.stop()
    await this.engine.stop()
  }

  /** The request with which the docker driver creates the agent `mosaic-user-abc`. */
  agent(): Record<string, any> {
    const mounts = [
      {
        Type: 'volume',
        Source: 'mosaic-user-abc-state',
        Target: '/home/node/.openclaw',
        ReadOnly: false,
      },
      { Type: 'volume', Source: 'mosaic-user-abc-handed', Target: '/run/mosaic', ReadOnly: true },
    ] as const
    const options = agentContainer({
      spec: SPEC,
      image: IMAGE_ID,
      network: 'agents',
      egress: 'sealed',
      shape: 'd'.repeat(16),
      engine: 'an-engine /var/lib/docker',
      mounts: [...mounts],
    })
    return JSON.parse(JSON.stringify({ ...options, abortSignal: {} }))
  }

  create(body: unknown, name = 'mosaic-user-abc'): Promise<Answer> {
    return this.ask('POST', `/v1.41/containers/create?name=${name}`, body)
  }

  /** Sends exactly this path, which a URL would normalise. */
  async ask(
    method: string,
    path: string,
    body?: unknown,
    headers: OutgoingHttpHeaders = {},
    from?: string
  ) {
    const answer = await this.open(method, path, body, headers, from)
    const text = Buffer.concat(await Array.fromAsync(answer)).toString()
    let parsed: unknown = text
    try {
      parsed = JSON.parse(text)
    } catch {
      // Not JSON: keep the text.
    }
    return { status: answer.statusCode!, body: parsed } as Answer
  }

  /** Like `ask`, but the caller reads the response. */
  open(
    method: string,
    path: string,
    body?: unknown,
    headers: OutgoingHttpHeaders = {},
    /** The local source address. */
    from = '127.0.0.1'
  ): Promise<IncomingMessage> {
    const isText = typeof body === 'string' || body === undefined
    const { hostname: host, port } = this.#address
    return new Promise((resolve, reject) => {
      const asked = send({ host, port, method, path, agent: false, headers, localAddress: from })
      asked.once('response', resolve).once('error', reject)
      asked.end(isText ? body : JSON.stringify(body))
    })
  }
}
