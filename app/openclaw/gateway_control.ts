import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { deviceOf } from '#openclaw/gateway_device'
import { callByHttp, type ControlledGateway } from '#openclaw/gateway_rpc'
import type { LivePatch } from '#openclaw/live_patch'
import {
  nextOwnJobAt,
  type ConfigSnapshot,
  type CronPage,
  type PairedDevices,
  type Suspension,
} from '#openclaw/control_shapes'

/** A gateway in the middle of a model's answer takes a while, one that stands still takes for ever. */
const TIMEOUT_MS = 10_000

/** Ten thousand jobs; a gateway that always names another page would keep the question going for ever. */
const MOST_PAGES = 50

/**
 * What a gateway says when it is asked to take no more work: `closed` takes none, and does none; `draining`
 * takes none and ends what it has; `busy` goes on as before.
 */
export type AdmissionState = 'closed' | 'draining' | 'busy'

/** Devices that are forgotten at once; nobody pairs more by hand, and what is left goes at the next start. */
const MOST_DEVICES = 200

/** Every replica of Mosaic asks under the same name, so that each can take back what another one began. */
const REQUEST_ID = 'mosaic'

/**
 * Control over a gateway by plain HTTP (its plugin `admin-http-rpc`), the same way into a process and into a
 * container. Every call rejects with E_GATEWAY_FAILED when the gateway refuses, is away or stands still.
 */
export class GatewayControl {
  constructor(protected timeoutMs: number = TIMEOUT_MS) {}

  /**
   * Closes an idle gateway: no chat, no run, no job, no background shell. It then admits no work for two
   * minutes, or until `reopen`. With `drain` it stops admitting work although it is busy, and lets running
   * work end; call again to learn when. Takes 5 to 30 ms.
   */
  async close(gateway: ControlledGateway, { drain }: { drain: boolean }): Promise<AdmissionState> {
    const { status } = await this.#prepare(gateway, drain)
    return status === 'ready' ? 'closed' : status
  }

  /** Admits work again, whichever replica closed the gateway. An open gateway is success. */
  async reopen(gateway: ControlledGateway): Promise<void> {
    /** A gateway keeps apart with and without draining, and tells of the other that it conflicts. */
    const { suspensionId } = await this.#prepare(gateway, false).catch(() =>
      this.#prepare(gateway, true)
    )
    if (suspensionId) await this.#call(gateway, 'gateway.suspend.resume', { suspensionId })
  }

  /**
   * When the next job of the agent's own schedule is due, in milliseconds of the epoch, or null. Jobs that
   * OpenClaw makes for itself are no reason to wake an agent. Call it before the gateway is closed.
   */
  async nextJobAt(gateway: ControlledGateway): Promise<number | null> {
    let earliest: number | null = null
    let offset: number | null = 0
    for (let pages = 0; offset !== null && pages < MOST_PAGES; pages++) {
      const page: CronPage = await this.#call<CronPage>(gateway, 'cron.list', {
        offset,
        limit: 200,
        includeDeliveryPreviews: false,
      })
      const next = nextOwnJobAt(page.jobs ?? [])
      if (next !== null) earliest = Math.min(earliest ?? next, next)
      offset = page.hasMore ? (page.nextOffset ?? null) : null
    }
    return earliest
  }

  /**
   * Forgets every device but Mosaic's own: one that was let in with a former token would get in without the
   * present one. A gateway keeps devices for good, so it is asked after each start.
   */
  async forgetOtherDevices(gateway: ControlledGateway): Promise<void> {
    const { paired = [] } = await this.#call<PairedDevices>(gateway, 'device.pair.list', {})
    const own = deviceOf(gateway.token).id
    for (const { deviceId } of paired.slice(0, MOST_DEVICES)) {
      if (deviceId !== own) await this.#call(gateway, 'device.pair.remove', { deviceId })
    }
  }

  /** The document that the gateway works with, and the hash that a change has to name. */
  async document(gateway: ControlledGateway): Promise<ConfigSnapshot> {
    return this.#call<ConfigSnapshot>(gateway, 'config.get', {})
  }

  /** Changes the document with that hash. Resolves once the gateway works with it, within a second. */
  async patchDocument(
    gateway: ControlledGateway,
    { patch, replacePaths }: LivePatch,
    baseHash: string | undefined
  ): Promise<void> {
    const raw = JSON.stringify(patch)
    await this.#call(gateway, 'config.patch', {
      raw,
      ...(baseHash && { baseHash }),
      ...(replacePaths.length > 0 && { replacePaths }),
    })
  }

  #prepare(gateway: ControlledGateway, drain: boolean): Promise<Suspension> {
    const params = { requestId: REQUEST_ID, ...(drain && { drain }) }
    return this.#call<Suspension>(gateway, 'gateway.suspend.prepare', params)
  }

  async #call<Payload>(
    gateway: ControlledGateway,
    method: string,
    params: object
  ): Promise<Payload> {
    try {
      const { status, text } = await callByHttp(gateway, method, params, this.timeoutMs)
      if (status !== 200) throw new Error(`${method} was answered with ${status}`)
      return JSON.parse(text).payload as Payload
    } catch (error) {
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }
}
