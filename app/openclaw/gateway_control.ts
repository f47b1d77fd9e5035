import { parseJson } from '#bounded/json'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { listIn, numberIn, objectIn } from '#openclaw/gateway_fields'
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

/** A gateway busy with a model's answer responds slowly, a hung one never. */
const TIMEOUT_MS = 10_000

/** Page limit, equal to ten thousand jobs: guards against a gateway that always reports another page. */
const MOST_PAGES = 50

/**
 * A gateway's state after a request to stop admitting work: `closed` is idle, `draining` only finishes
 * running work, and `busy` continues as before.
 */
export type AdmissionState = 'closed' | 'draining' | 'busy'

/** Limit of devices removed per call: nobody pairs more by hand, and the rest goes at the next start. */
const MOST_DEVICES = 200

/** Shared by all replicas, so that each can undo what another began. */
const REQUEST_ID = 'mosaic'

/**
 * Controls a gateway over plain HTTP (its plugin `admin-http-rpc`), which works alike for processes and
 * containers. Every call rejects with E_GATEWAY_FAILED if the gateway refuses, is unreachable or hangs.
 */
export class GatewayControl {
  constructor(protected timeoutMs: number = TIMEOUT_MS) {}

  /**
   * Closes an idle gateway: one without a chat, run, job or background shell. It then admits no work for two
   * minutes, or until `reopen`. With `drain`, a busy gateway stops admitting work too and finishes what is
   * running; call again to learn when it is done. Takes 5 to 30 ms.
   */
  async close(gateway: ControlledGateway, { drain }: { drain: boolean }): Promise<AdmissionState> {
    const { status } = await this.#prepare(gateway, drain)
    return status === 'ready' ? 'closed' : status
  }

  /** Admits work again, whichever replica closed the gateway. A no-op if it is open. */
  async reopen(gateway: ControlledGateway): Promise<void> {
    /**
     * A gateway treats suspensions with and without draining separately, and reports the other kind as a
     * conflict.
     */
    const { suspensionId } = await this.#prepare(gateway, false).catch(() =>
      this.#prepare(gateway, true)
    )
    if (suspensionId) await this.#call(gateway, 'gateway.suspend.resume', { suspensionId })
  }

  /**
   * Returns when the agent's own schedule is due next, in milliseconds since the epoch, or null. OpenClaw's
   * internal jobs are ignored, because they are no reason to wake an agent. Call it before closing the
   * gateway. All pages together have the time of one call: sweeps of all agents, and a stop, wait for it.
   */
  async nextJobAt(gateway: ControlledGateway): Promise<number | null> {
    const signal = AbortSignal.timeout(this.timeoutMs)
    let earliest: number | null = null
    let offset: number | null = 0
    for (let pages = 0; offset !== null && pages < MOST_PAGES; pages++) {
      const params = { offset, limit: 200, includeDeliveryPreviews: false }
      const page: CronPage = await this.#call<CronPage>(gateway, 'cron.list', params, signal)
      const next = nextOwnJobAt(page.jobs)
      if (next !== null) earliest = Math.min(earliest ?? next, next)
      offset = page.hasMore ? (numberIn(page.nextOffset) ?? null) : null
    }
    return earliest
  }

  /**
   * Removes every paired device except Mosaic's own: one paired with an earlier token would get in without
   * the current one. Gateways keep devices for good, so this runs after each start.
   */
  async forgetOtherDevices(gateway: ControlledGateway): Promise<void> {
    const { paired } = await this.#call<PairedDevices>(gateway, 'device.pair.list', {})
    const own = deviceOf(gateway.token).id
    for (const device of listIn(paired).slice(0, MOST_DEVICES)) {
      const { deviceId } = objectIn(device)
      if (deviceId !== own) await this.#call(gateway, 'device.pair.remove', { deviceId })
    }
  }

  /** Returns the gateway's current document, and the hash that a change must name. */
  async document(gateway: ControlledGateway): Promise<ConfigSnapshot> {
    return this.#call<ConfigSnapshot>(gateway, 'config.get', {})
  }

  /** Patches the document with this hash. Resolves once the gateway uses the result, within a second. */
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
    params: object,
    signal?: AbortSignal
  ): Promise<Payload> {
    try {
      const limits = { timeoutMs: this.timeoutMs, signal }
      const { status, text } = await callByHttp(gateway, method, params, limits)
      if (status !== 200) throw new Error(`${method} was answered with ${status}`)
      return objectIn(objectIn(parseJson(text)).payload) as Payload
    } catch (error) {
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }
}
