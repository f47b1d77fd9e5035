import { join } from 'node:path'
import { Child } from '../child.js'
import { Mosaic, type WakeDurations } from '../mosaic.js'
import { startByHand } from '../openclaw_by_hand.js'
import { median, result, type Result } from '../result.js'

/** Few, because a start takes many seconds of processor time. */
const ROUNDS = 2
const DOUBLE_ROUNDS = 20
const OWN_MS = 150

/** A wake's share of driver and gateway, and of Mosaic, in milliseconds. */
interface WakeParts {
  whole: number
  own: number
}

/** Measures a cold wake through Mosaic against the same OpenClaw started by hand in the same folder. */
export async function wakeGroup(): Promise<Result[]> {
  const provider = await Child.start<{ url: string }>('gateway_double')
  const running: { stop(): Promise<void> }[] = [provider]
  try {
    const idle = await Mosaic.start(provider.ready.url)
    running.push(idle)
    const without: number[] = []
    for (let i = 0; i < DOUBLE_ROUNDS; i++) {
      await idle.child.ask('sleep')
      const { asked, answered } = await idle.child.ask<WakeDurations>('wake')
      without.push(answered - asked)
    }

    const mosaic = await Mosaic.start(provider.ready.url, 'real')
    running.push({ stop: () => asleep(mosaic) })
    const folder = join(mosaic.installation.folder, 'storage/agents', mosaic.facts.instance)
    const wakes: WakeParts[] = []
    const byHand: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      await mosaic.child.ask('sleep')
      const started = await startByHand(folder)
      const wake = await timedWake(mosaic)
      /** The first round warms the file cache for later ones. */
      if (round === 0) continue
      byHand.push(started)
      wakes.push(wake)
    }
    const own = median(wakes.map((wake) => wake.own))
    return [
      result({
        id: 'wake.cold.own',
        unit: 'ms',
        value: own,
        target: `<= ${OWN_MS} ms`,
        ok: own <= OWN_MS,
        note: `a whole wake less the driver's part and the time until /startupz is 200; with a double that starts at once a whole wake takes ${median(without).toFixed(1)} ms`,
      }),
      result({
        id: 'wake.cold.gateway',
        unit: 'ms',
        value: median(wakes.map(({ whole }) => whole)),
        baseline: median(byHand),
        note: 'a whole wake beside OpenClaw started by hand in the same folder, state and compile cache kept',
      }),
    ]
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

async function timedWake({ child }: Mosaic): Promise<WakeParts> {
  const isReady = new Promise<number>((resolve) => {
    const listen = (message: { gatewayReady?: number }) => {
      if (!message.gatewayReady) return
      child.process.off('message', listen)
      resolve(message.gatewayReady)
    }
    child.process.on('message', listen)
  })
  const [times, ready] = await Promise.all([child.ask<WakeDurations>('wake'), isReady])
  const whole = times.answered - times.asked
  const driver = times.driverTo - times.driverFrom
  const boot = Math.max(0, ready - times.driverTo)
  return { whole, own: whole - driver - boot }
}

/** Agents outlive Mosaic, so its agent is stopped first. */
async function asleep(mosaic: Mosaic): Promise<void> {
  await mosaic.child.ask('sleep').catch(() => {})
  await mosaic.stop()
}
