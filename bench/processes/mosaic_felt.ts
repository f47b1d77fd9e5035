/**
 * Mosaic's web process as `bin/server.ts` starts it, with one user whose agent is the real OpenClaw, measured
 * through the calls that the pages make. For comparison, the same OpenClaw runs without Mosaic.
 */
import { setTimeout as after } from 'node:timers/promises'
import { webProcess } from '../web_process.js'
import { answerQuestions } from '../answering.js'
import { measureByHand, type ByHandFigures } from '../felt/by_hand.js'
import { ContainerHome } from '../felt/container_home.js'
import { idleCost, Meter, SETTLE_MS, type Cost } from '../felt/cost.js'
import type { AgentHome } from '../felt/home.js'
import { ProcessHome } from '../felt/process_home.js'
import { eventsOf, firstOf } from '../felt/streams.js'
import type { ColdFigures, FeltTimes, IdleFigures, RestFigures } from '../groups/felt.js'

const [runtime, provider, given] = process.argv.slice(2)
const times = JSON.parse(given) as FeltTimes

const READY_MS = 300_000
const POLL_MS = 50
const FREEZE_MS = 60_000
const FREEZE_AGAIN_MS = 1000

const app = await webProcess()
const settings = await app.container.make('settings')
const lifecycle = await app.container.make('agents.lifecycle')
const { idleStopper } = await app.container.make('agents.services')
const runtimes = await app.container.make('runtime.manager')

const { default: User } = await import('#models/user')
const { default: LlmProvider } = await import('#models/llm_provider')
const { default: UserContainer } = await import('#models/user_container')
const { hashGatewayToken } = await import('#models/with_lifecycle')

const user = await User.create({ email: 'bench@example.test', name: 'Bench', role: 'member' })
const agent = `user/${user.id}` as const
const name = `mosaic-user-${user.id}`
const home: AgentHome =
  runtime === 'docker' ? new ContainerHome(name) : new ProcessHome(name, provider)

await settings.set('network.allowedRanges', ['127.0.0.0/8'])
await settings.set('agents.rest', 'on')
/** Only the bench lets the agent rest. */
await settings.set('agents.restAfterMin', 10_080)
for (const [key, value] of Object.entries(home.settings))
  await settings.set(key as never, value as never)

const model = new LlmProvider()
model.merge({
  userId: user.id,
  name: 'bench',
  displayName: 'Bench',
  type: 'custom',
  baseUrl: `${provider}/v1`,
  apiType: 'openai-completions',
  models: [{ id: 'bench-model', name: 'Bench' }],
  isActive: true,
})
await model.seal('apiKey', 'a key of no service')
await model.save()

const accessToken = (await User.accessTokens.create(user)).value!.release()
const origin = `http://127.0.0.1:${process.env.PORT}`
const headers = {
  'authorization': `Bearer ${accessToken}`,
  'content-type': 'application/json',
}
const driver = await runtimes.use(home.settings['runtime.driver'])
const ref = { name, state: null }

/** Sends what a page sends when it opens; resolves once it would say "Awake". */
async function openPage(): Promise<void> {
  await fetch(`${origin}/api/v1/agent/start`, { method: 'POST', headers })
  const deadline = Date.now() + READY_MS
  for (;;) {
    const { data } = (await (await fetch(`${origin}/api/v1/agent`, { headers })).json()) as {
      data: { status: string; message?: string }
    }
    if (data.status === 'running') return
    if (data.status === 'error' || Date.now() > deadline) throw new Error(JSON.stringify(data))
    await after(POLL_MS)
  }
}

/** Sends a message as the chat page does. Returns what had passed on the meter at the first token. */
async function chat(meter: Meter): Promise<Cost> {
  let cost: Cost | null = null
  const events = eventsOf(`${origin}/api/v1/chat`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ message: 'Hello' }),
  })
  await firstOf(
    events,
    ({ event }) => event === 'delta',
    () => (cost = meter.read())
  )
  return cost!
}

const meter = () => new Meter(() => home.pids())

async function byHand(): Promise<ByHandFigures> {
  await lifecycle.stop(agent)
  await admitByHand()
  const start = () => home.startByHand()
  return measureByHand(start, () => home.pids(), times.idleMs)
}

/** Lets the one by hand call its model at the relay, which knows a stopped agent's token no longer. */
async function admitByHand(): Promise<void> {
  const row = await UserContainer.ownedBy(user.id).firstOrFail()
  row.gatewayTokenHash = hashGatewayToken(token)
  await row.save()
}

/** Opens the page of a stopped agent, types for a while, and sends. */
async function cold(): Promise<ColdFigures> {
  await lifecycle.stop(agent)
  const whole = meter()
  const awake = openPage().then(() => whole.read().ms)
  await after(times.typingMs)
  const enter = meter()
  const { ms } = await chat(enter)
  return { first: { ms, cpu: whole.read().cpu }, awakeMs: await awake }
}

/** Leaves an awake agent alone, and sends. */
async function idle(): Promise<IdleFigures> {
  const cost = await idleCost(() => home.pids(), times.idleMs)
  return { first: await chat(meter()), rest: cost }
}

/** The gateway may have work of its own for a moment after a chat. */
async function freeze(): Promise<void> {
  const deadline = Date.now() + FREEZE_MS
  for (;;) {
    const outcome = await idleStopper.stop(agent, () => ({ kind: 'rest' }))
    if (outcome === 'suspended') return
    if (Date.now() > deadline) throw new Error(`The agent did not rest: ${outcome}`)
    await after(FREEZE_AGAIN_MS)
  }
}

/**
 * Lets the agent rest, opens its page, and sends as soon as the page says "Awake". An agent rests only after
 * minutes without use, when what followed its last chat is over.
 */
async function rest(): Promise<RestFigures> {
  await after(SETTLE_MS)
  await freeze()
  await driver.pageOut?.(ref, { signal: AbortSignal.timeout(READY_MS) })
  await after(times.restMs)
  const use = (await driver.usage?.(ref)) ?? null
  const opened = meter()
  await openPage()
  const ready = opened.read()
  return { ready, first: await chat(opened), use }
}

/** Agents outlive Mosaic, so its agent is stopped first. */
async function end(): Promise<true> {
  await lifecycle.stop(agent)
  await driver.remove(ref)
  home.close()
  return true
}

/** Of the agent's first gateway; the one by hand has it too. */
let token = ''
try {
  await openPage()
  await chat(meter())
  const row = await UserContainer.ownedBy(user.id).firstOrFail()
  token = (await row.open('gatewayToken'))!
  await home.prepared(token)
} catch (error) {
  await end()
  throw error
}

answerQuestions({ byHand, cold, idle, rest, end }, {})
