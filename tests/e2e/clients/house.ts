import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import app from '@adonisjs/core/services/app'
import type { GatewayAccess } from '#agents/types'
import { API_TIMING } from '#chat/openai_chat'
import { baseUrl, scriptedSurface } from '#tests/doubles/chat_surface'
import { RealAgent } from '#tests/e2e/real_openclaw'
import { ScriptedModel } from '#tests/e2e/scripted_model'
import { freePort } from '#tests/free_port'
import { agentOfSomeone, providerOf } from '#tests/functional/openclaw/agent'

const KEY = 'sk-canary-71b2c3d4'
/** A start of the real OpenClaw on a busy machine, and its first chat. */
const BOOT_MS = 300_000
/** A stream that is still closed tells a failure by its status, however slow the machine is. */
const OPEN_AFTER_MS = 60_000
/** Longer than the stream of a sleeping agent stays closed, so that a client meets the comments of a wake. */
const SLEEP_MS = 4000

/** A user of this Mosaic, whose agent is the real OpenClaw and whose model follows a script. */
export class ClientHouse {
  /** The agent's folder. */
  home = ''
  readonly model = new ScriptedModel()
  #agent!: RealAgent
  #access!: GatewayAccess
  #surface!: ReturnType<typeof scriptedSurface>
  #apiKey = ''
  readonly #timing = { ...API_TIMING, openAfterMs: OPEN_AFTER_MS }

  /** Starts everything, and resolves once the agent answers quickly. */
  async open(): Promise<this> {
    try {
      await this.#open()
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The base URL and key that a client is given. */
  get connection(): { baseURL: string; apiKey: string } {
    return { baseURL: `${baseUrl()}/v1`, apiKey: this.#apiKey }
  }

  /** The address and token of the agent's gateway. */
  get access(): GatewayAccess {
    return this.#access
  }

  /** Forgets what the model was asked, and lets the agent be awake. */
  reset(): void {
    this.model.bodies.length = 0
    this.model.script = () => ({ text: 'Hello there.' })
    this.#surface.waker.remembered = this.#access
    this.#timing.openAfterMs = OPEN_AFTER_MS
  }

  /** From now on the agent sleeps: the next message wakes it, which takes a while. */
  sleep(): void {
    const { waker } = this.#surface
    waker.remembered = null
    this.#timing.openAfterMs = API_TIMING.openAfterMs
    waker.wake = async (_agent, { onProgress }) => {
      onProgress?.({ stage: 'starting', elapsedMs: 0, usualMs: SLEEP_MS })
      await new Promise((resolve) => setTimeout(resolve, SLEEP_MS))
      return (waker.remembered = this.#access)
    }
  }

  async close(): Promise<void> {
    await this.#agent?.stop()
    await this.#surface?.restore()
    await this.model.stop()
    const settings = await app.container.make('settings')
    await settings.set('network.allowedRanges', [])
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 })
  }

  async #open(): Promise<void> {
    this.home = mkdtempSync(join(tmpdir(), 'mosaic-clients-'))
    await this.model.start()
    const settings = await app.container.make('settings')
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])

    const { user, token } = await agentOfSomeone()
    const models = [{ id: ScriptedModel.MODEL, name: 'Parrot' }]
    const provider = { name: 'work', type: 'custom', apiType: 'openai-completions', models }
    await providerOf(user.id, { ...provider, baseUrl: this.model.url }, KEY)

    const failures = await app.container.make('llm_relay.failures')
    const known = { 'mosaic-work': [ScriptedModel.MODEL] }
    this.#surface = scriptedSurface({ failures, models: known, timing: this.#timing })
    this.#agent = new RealAgent(`user/${user.id}`, token, this.home, await freePort())
    this.#access = { url: this.#agent.url, token }
    const tokens = await app.container.make('identity.tokens')
    this.#apiKey = (await tokens.create(user, { name: 'test' })).value!.release()

    const gateway = await app.container.make('openclaw.gateway')
    await this.#agent.ready((url) => gateway.probeReady(url), BOOT_MS)
    await gateway.prewarm(this.#agent.url, token, AbortSignal.timeout(BOOT_MS))
    this.reset()
  }
}
