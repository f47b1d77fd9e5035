import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { plainAddress } from '#runtimes/gateway_connections'
import { deviceOf } from '#openclaw/gateway_device'
import { raceSignal } from '#timing/race_signal'
import { callByHttp, type ControlledGateway } from '#openclaw/gateway_rpc'

/** Protocol version of the OpenClaw release that Mosaic pins. */
const PROTOCOL = 4

/** The first is required for tool events, the others for approvals. */
const LISTENING_CAPABILITIES = ['tool-events', 'approvals', 'exec-approvals', 'plugin-approvals']

/**
 * Pairing attempts per connection: concurrent calls to a gateway that does not know Mosaic yet disturb each
 * other.
 */
const MOST_PAIRINGS = 3

/** Calls to one gateway at once. Each may hold a message of the largest size that the client takes. */
const MOST_CALLS = 16

/** Open connections for calls, by gateway. */
const calls = new Map<string, number>()

export interface GatewayCall extends ControlledGateway {
  /** Milliseconds per step: to connect, to be admitted, to get a response. */
  timeoutMs: number
  /** Ends the call when it aborts, at whatever step. */
  signal?: AbortSignal
}

/** Details that a gateway adds to a refusal. */
interface Refusal {
  details?: { code?: string; requestId?: string }
}

/** A connection to a gateway's WebSocket. */
export interface GatewayConnection {
  request<Result>(method: string, params: Record<string, unknown>): Promise<Result>
  close(): void
}

/** An event pushed by a gateway. */
export interface GatewayEvent {
  event: string
  payload?: unknown
}

/** Callbacks of a connection that stays open. */
export interface Listening {
  onEvent(event: GatewayEvent): void
  /** The connection closed, from either end; no further events follow. */
  onClose(): void
}

/**
 * Connects to a gateway's WebSocket, for features it does not offer over HTTP.
 *
 * Over loopback the token alone suffices; from another host OpenClaw grants it no rights without a paired
 * device. So Mosaic presents a device, and approves it itself over HTTP if the gateway does not know it yet:
 * the token permits that. This happens once per agent, which keeps the pairing in its state.
 *
 * @throws E_GATEWAY_FAILED if the gateway refuses, is unreachable, or takes longer than `timeoutMs`, if too many
 * calls to it are open, or if the signal aborts
 */
export async function openGateway(
  gateway: GatewayCall,
  listening?: Listening
): Promise<GatewayConnection> {
  const leave = listening ? () => {} : enter(gateway.url)
  try {
    for (let pairings = 0; ; pairings++) {
      try {
        const { request, close } = await connect(gateway, listening)
        return { request, close: () => (leave(), close()) }
      } catch (error) {
        const pairing = pairingAsked(error)
        if (!pairing || pairings === MOST_PAIRINGS) throw error
        await approve(gateway, pairing)
      }
    }
  } catch (error) {
    leave()
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  }
}

/** Counts a connection for calls until the returned function is called. @throws E_GATEWAY_FAILED */
function enter(url: string): () => void {
  const open = calls.get(url) ?? 0
  if (open >= MOST_CALLS) throw new E_GATEWAY_FAILED()
  calls.set(url, open + 1)
  let left = false
  return () => {
    if (left) return
    left = true
    const others = calls.get(url)! - 1
    if (others > 0) calls.set(url, others)
    else calls.delete(url)
  }
}

/**
 * Makes one WebSocket call: connects, sends the request, disconnects.
 *
 * @throws E_GATEWAY_FAILED if the gateway refuses, is unreachable, or takes longer than `timeoutMs`
 */
export async function callGateway<Result>(
  gateway: GatewayCall,
  method: string,
  params: Record<string, unknown>
): Promise<Result> {
  const connection = await openGateway(gateway)
  try {
    return await connection.request<Result>(method, params)
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  } finally {
    connection.close()
  }
}

/** Connects with OpenClaw's own client, imported at the first call because it takes 16 MB of memory. */
async function connect(
  { url, token, timeoutMs, signal }: GatewayCall,
  listening?: Listening
): Promise<GatewayConnection> {
  signal?.throwIfAborted()
  const { GatewayClient } = await import('@openclaw/gateway-client')
  const device = deviceOf(token)
  const connected = Promise.withResolvers<void>()
  // The client opens its own socket.
  const address = await plainAddress(url)
  const client = new GatewayClient({
    url: address.url.replace(/^http/, 'ws'),
    token,
    minProtocol: PROTOCOL,
    maxProtocol: PROTOCOL,
    requestTimeoutMs: timeoutMs,
    ...(listening && { caps: LISTENING_CAPABILITIES }),
    // The signing below holds the key; the client would only pass it through.
    deviceIdentity: { deviceId: device.id, privateKeyPem: '', publicKeyPem: '' },
    hostDeps: {
      logDebug: () => {},
      logError: () => {},
      signDevicePayload: (_, payload) => device.sign(payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
    onEvent: listening && ((event) => listening.onEvent(event)),
    onHelloOk: () => {
      admitted = true
      connected.resolve()
    },
    onConnectError: (error) => connected.reject(error),
    onClose: () => {
      connected.reject(new Error('closed'))
      close()
    },
  })
  let closed = false
  /** An attempt that is refused, as before pairing, was never a connection. */
  let admitted = false
  /** Stops the client, which would otherwise reconnect by itself. */
  const close = () => {
    if (closed) return
    closed = true
    signal?.removeEventListener('abort', close)
    client.stop()
    address.close()
    if (admitted) listening?.onClose()
  }
  const late = setTimeout(() => connected.reject(new Error('timed out')), timeoutMs)
  try {
    client.start()
    signal?.addEventListener('abort', close)
    await raceSignal(connected.promise, signal)
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(late)
  }
  return { request: (method, params) => client.request(method, params), close }
}

/** Returns the id of the pairing request if the gateway requires pairing, or null. */
function pairingAsked(error: unknown): string | null {
  const { details } = error as Refusal
  return details?.code === 'PAIRING_REQUIRED' ? (details.requestId ?? null) : null
}

/**
 * Approves a pairing request. One that another call has already approved is refused; the next attempt to
 * connect decides.
 */
async function approve(gateway: GatewayCall, requestId: string): Promise<void> {
  await callByHttp(gateway, 'device.pair.approve', { requestId }, gateway)
}
