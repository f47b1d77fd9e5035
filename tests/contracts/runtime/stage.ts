import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import type { Assert } from '@japa/assert'
import { Secret } from '@adonisjs/core/helpers'
import type {
  Instance,
  InstanceSpec,
  Observed,
  RuntimeDriver,
  RuntimeContext,
} from '#runtimes/contract'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import type { RuntimeSuite, RuntimeTrial } from '#tests/contracts/runtime/trial'

/** Maximum wait. Long enough for a slow container on a busy machine. */
export const DEADLINE_MS = 60_000
/** Maximum time to notice a crash. Normally one second; the rest is margin for a busy machine. */
export const NOTICED_MS = 5000

export const HERE = 'installation-here'
export const ELSEWHERE = 'installation-elsewhere'

/** The trial and the driver of the current test, and what tests do with them. */
export class RuntimeStage {
  readonly capabilities
  readonly gaps
  readonly #prepare
  #trial: RuntimeTrial | null = null
  #driver: RuntimeDriver | null = null

  constructor({ capabilities, prepare, gaps = {} }: RuntimeSuite) {
    this.capabilities = capabilities
    this.gaps = gaps
    this.#prepare = prepare
  }

  get trial(): RuntimeTrial {
    return this.#trial!
  }

  get driver(): RuntimeDriver {
    return this.#driver!
  }

  /** Prepares one test. Returns what closes it. */
  readonly open = async () => {
    const trial = await this.#prepare()
    this.#trial = trial
    this.#driver = await trial.open(HERE)
    return () => trial.close()
  }

  /** The context of a caller who never leaves. */
  readonly never = (): RuntimeContext => ({ signal: new AbortController().signal })

  /** A spec of a new agent. */
  readonly spec = (change: Partial<InstanceSpec> = {}): InstanceSpec => {
    const id = randomUUID().slice(0, 8)
    const pure = {
      name: `mosaic-user-${id}`,
      agent: `user/${id}`,
      installation: HERE,
      apiUrl: this.trial.apiUrlOf?.(change.installation ?? HERE) ?? this.trial.apiUrl,
      image: null,
      limits: { memoryMb: 512, cpus: 1, processes: 64 },
      ...change,
    }
    const hash = createHash('sha256').update(JSON.stringify(pure)).digest('hex')
    return { generation: 1, hash, token: new Secret(`token-${randomUUID()}`), ...pure }
  }

  readonly refOf = ({ name }: { name: string }) => ({ name, state: null })

  /** Starts an instance and waits until its gateway is ready. */
  readonly start = async (given: InstanceSpec, by = this.driver): Promise<Instance> => {
    const instance = await by.ensure(given, this.never())
    const deadline = performance.now() + DEADLINE_MS
    while (performance.now() < deadline) {
      const response = await fetchBy(by)(`${instance.endpoint}/startupz`).catch(() => null)
      if (response?.ok) return instance
      await after(20)
    }
    throw new Error(`The gateway of ${instance.name} was not ready in time`)
  }

  /** Sends a message. The answer tells the number of its turn. */
  readonly chat = async (
    instance: Instance,
    { token }: InstanceSpec,
    text: string,
    by = this.driver
  ): Promise<string> => {
    const response = await fetchBy(by)(`${instance.endpoint}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'authorization': `Bearer ${token.release()}`,
        'x-openclaw-session-key': 'contract',
      },
      body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: text }] }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    const body: any = await response.json()
    return body.choices[0].message.content
  }

  readonly listed = (by = this.driver): Promise<Observed[]> => Array.fromAsync(by.list())

  readonly answers = async (endpoint: string, withinMs = 1000): Promise<boolean> => {
    const signal = AbortSignal.timeout(withinMs)
    return fetchBy(this.driver)(`${endpoint}/healthz`, { signal }).then(
      () => true,
      () => false
    )
  }

  /** Waits until the driver sees an instance in this status. */
  readonly observedAs = async (
    name: string,
    status: Observed['status'],
    assert: Assert
  ): Promise<Observed> => {
    const deadline = performance.now() + NOTICED_MS
    for (;;) {
      const observed = await this.driver.inspect(this.refOf({ name }))
      if (observed?.status === status) return observed
      if (performance.now() > deadline) assert.equal(observed?.status, status)
      await after(20)
    }
  }

  /** The output of a command in a shell of the instance. */
  readonly within = async (instance: Instance, command: string): Promise<string> => {
    const { output } = await this.trial.within!.run(instance, command)
    return output
  }
}
