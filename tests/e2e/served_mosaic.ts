import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import app from '@adonisjs/core/services/app'
import { EventSourceParserStream } from 'eventsource-parser/stream'

const START_DEADLINE_MS = 90_000
const STOP_DEADLINE_MS = 30_000
const ASK_EVERY_MS = 100

const PROGRAM = ['--import=@poppinss/ts-exec']

/** What one message to the agent brought. */
export interface Answer {
  text: string
  events: { event: string; data: any }[]
}

/**
 * Mosaic as an operator starts it: its web process of production, with a database, a key and a storage
 * folder of its own. Everything is asked over HTTP, as by a person's browser.
 */
export class ServedMosaic {
  /** All that it has written. */
  log = ''
  readonly #cookies = new Map<string, string>()
  readonly #process: ChildProcess

  private constructor(
    readonly url: string,
    readonly env: NodeJS.ProcessEnv,
    readonly folder: string
  ) {
    this.#process = spawn(process.execPath, [...PROGRAM, 'bin/server.ts'], {
      cwd: app.makePath(),
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.on('data', (data) => (this.log += data))
    }
  }

  /** @param more added to its environment */
  static async start(more: Record<string, string>): Promise<ServedMosaic> {
    const folder = mkdtempSync(join(tmpdir(), 'mosaic-served-'))
    chmodSync(folder, 0o711)
    const port = await freePort()
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: tmpdir(),
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      DATABASE_URL: `sqlite:${join(folder, 'mosaic.sqlite3')}`,
      MOSAIC_SECRET_KEY: randomBytes(32).toString('base64'),
      STORAGE_PATH: join(folder, 'storage'),
      HOST: '127.0.0.1',
      PORT: String(port),
      INTERNAL_PORT: String(await freePort()),
      ...more,
    }
    const migration = spawn(
      process.execPath,
      [...PROGRAM, 'bin/console.ts', 'migration:run', '--force'],
      { cwd: app.makePath(), env, stdio: ['ignore', 'ignore', 'inherit'] }
    )
    const [code] = await once(migration, 'exit')
    if (code !== 0) throw new Error(`The migration ended with ${code}`)

    const mosaic = new ServedMosaic(`http://127.0.0.1:${port}`, env, folder)
    try {
      await mosaic.#answers()
      return mosaic
    } catch (error) {
      await mosaic.stop()
      throw error
    }
  }

  /** Sets it up with its first admin, who stays signed in, and the model that needs no key. */
  async setUp(account: { username: string; password: string }): Promise<void> {
    const setupToken = /\/onboarding\?token=([^\s"\\]+)/.exec(this.log)?.[1]
    const steps: [string, object][] = [
      ['breakglass', { setupToken, ...account }],
      ['auth', { skip: true }],
      ['provider', { type: 'demo', name: 'demo', models: [], primaryModel: 'echo' }],
      ['system-agents', { skip: true }],
      ['complete', {}],
    ]
    for (const [step, answer] of steps) {
      await this.ask('POST', `/api/v1/onboarding/${step}`, answer)
    }
  }

  /** The `data` of an answer; rejects with what it said where it is no success. */
  async ask(method: string, path: string, body?: object): Promise<any> {
    const response = await this.#fetch(method, path, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return text && JSON.parse(text).data
  }

  /** Sends a message to one's own agent and reads the whole answer. */
  async chat(message: string, conversationId?: string): Promise<Answer> {
    const response = await this.#fetch('POST', '/api/v1/chat', { message, conversationId })
    const events: Answer['events'] = []
    const stream = response
      .body!.pipeThrough(new TextDecoderStream() as never)
      .pipeThrough(new EventSourceParserStream())
    for await (const { event = '', data } of stream as AsyncIterable<{
      event?: string
      data: string
    }>) {
      events.push({ event, data: JSON.parse(data) })
    }
    const text = events
      .filter(({ event }) => event === 'delta')
      .map(({ data }) => data.text)
      .join('')
    return { text, events }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill('SIGTERM')
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_DEADLINE_MS)
      await ended
      clearTimeout(timer)
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Keeps the session and sends the CSRF token along, as a browser does. */
  async #fetch(method: string, path: string, body?: object): Promise<Response> {
    const csrf = this.#cookies.get('XSRF-TOKEN')
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        'accept': 'application/json',
        'content-type': 'application/json',
        'cookie': [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(csrf && { 'x-xsrf-token': decodeURIComponent(csrf) }),
      },
      body: body && JSON.stringify(body),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
      this.#cookies.set(name, value)
    }
    return response
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + START_DEADLINE_MS
    while (!(await fetch(`${this.url}/health/live`).catch(() => null))?.ok) {
      if (this.#process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Mosaic did not start:\n${this.log}`)
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
