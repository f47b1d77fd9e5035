import { mkdirSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { processesOf } from '../../tests/runner/processes.mjs'
import { startOpenclaw } from '../openclaw_by_hand.js'
import { documentVariables, type ByHand } from './by_hand.js'
import type { AgentHome } from './home.js'

/** An agent as a process of this machine. */
export class ProcessHome implements AgentHome {
  readonly settings = { 'runtime.driver': 'process' }
  readonly #folder: string

  /** @param provider URL of the model, which the one by hand calls without Mosaic's relay */
  constructor(
    name: string,
    readonly provider: string
  ) {
    this.#folder = join(process.env.STORAGE_PATH!, 'agents', name)
  }

  async prepared(): Promise<void> {}

  pids(): number[] {
    return processesOf(this.#folder)
  }

  async startByHand(): Promise<ByHand> {
    const secrets = readFileSync(join(this.#folder, 'secrets.json'), 'utf8')
    const { token } = JSON.parse(secrets) as { token: string }
    const env = { ...documentVariables(token), OPENCLAW_CONFIG_PATH: this.#document() }
    const started = await startOpenclaw(this.#folder, env)
    return { ...started, token, pids: () => this.pids() }
  }

  close(): void {}

  /** Writes the agent's document for use outside its sandbox, where no relay answers. Returns its path. */
  #document(): string {
    const state = join(this.#folder, 'state')
    const { uid, gid } = statSync(state)
    const document = JSON.parse(readFileSync(join(state, 'openclaw.json'), 'utf8'))
    for (const entry of Object.values<{ baseUrl: string }>(document.models.providers)) {
      entry.baseUrl = `${this.provider}/v1`
    }
    delete document.mcp
    const folder = join(this.#folder, 'state', 'by-hand')
    mkdirSync(folder, { recursive: true })
    const path = join(folder, 'openclaw.json')
    writeFileSync(path, JSON.stringify(document), { mode: 0o600 })
    for (const each of [folder, path]) chownSync(each, uid, gid)
    return path
  }
}
