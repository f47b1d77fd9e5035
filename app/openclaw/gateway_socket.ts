import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { plainAddress } from '#runtimes/gateway_connections'
import { deviceOf } from '#openclaw/gateway_device'
import { callByHttp, type ControlledGateway } from '#openclaw/gateway_rpc'

/** The wire version of the OpenClaw that Mosaic pins. */
const PROTOCOL = 4

/** Without the first, a gateway tells nothing of the tools that an agent uses. */
const LISTENING_CAPABILITIES = ['tool-events', 'approvals', 'exec-approvals', 'plugin-approvals']

/** Calls that come at once to a gateway that does not know Mosaic yet get in each other's way. */
const MOST_PAIRINGS = 3

export interface GatewayCall extends ControlledGateway {
  /** Milliseconds for each step: to connect, to be let in, to be answered. */
  timeoutMs: number
}

/** What a gateway adds to a refusal. */
interface Refusal {
  details?: { code?: string; requestId?: string }
}

/** A connection to a gateway's WebSocket. */
export interface GatewayConnection {
  request<Result>(method: string, params: Record<string, unknown>): Promise<Result>
  close(): void
}

/** What a gateway tells by itself. */
export interface GatewayEvent {
  event: string
  payload?: unknown
}

/** For who stays connected to listen. */
export interface Listening {
  onEvent(event: GatewayEvent): void
  /** The connection is gone, whoever closed it: nothing more comes. */
  onClose(): void
}

/**
 * Connects to a gateway's WebSocket, for what it does not offer over HTTP.
 *
 * Over loopback the token alone would do; from another host OpenClaw gives it no rights without a paired
 * device. So Mosaic comes as one, and where the gateway does not know it yet, lets itself in: the token
 * may approve devices over HTTP. That happens once for each agent, which keeps it in its state.
 *
 * @throws E_GATEWAY_FAILED when the gateway refuses, is unreachable, or takes longer than `timeoutMs`
 */
export async function openGateway(
  gateway: GatewayCall,
  listening?: Listening
): Promise<GatewayConnection> {
  try {
    for (let pairings = 0; ; pairings++) {
      try {
        return await connect(gateway, listening)
      } catch (error) {
        const pairing = pairingAsked(error)
        if (!pairing || pairings === MOST_PAIRINGS) throw error
        await approve(gateway, pairing)
      }
    }
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  }
}

/**
 * One call of a gateway's WebSocket methods: connect, ask, leave.
 *
 * @throws E_GATEWAY_FAILED when the gateway refuses, is unreachable, or takes longer than `timeoutMs`
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

/** The client is OpenClaw's own, loaded at the first call: it takes 16 MB of memory. */
async function connect(
  { url, token, timeoutMs }: GatewayCall,
  listening?: Listening
): Promise<GatewayConnection> {
  const { GatewayClient } = await import('@openclaw/gateway-client')
  const device = deviceOf(token)
  const connected = Promise.withResolvers<void>()
  // It opens its socket itself.
  const address = await plainAddress(url)
  const client = new GatewayClient({
    url: address.url.replace(/^http/, 'ws'),
    token,
    minProtocol: PROTOCOL,
    maxProtocol: PROTOCOL,
    requestTimeoutMs: timeoutMs,
    ...(listening && { caps: LISTENING_CAPABILITIES }),
    // The client would hand its key to the signing below, which has it already.
    deviceIdentity: { deviceId: device.id, privateKeyPem: '', publicKeyPem: '' },
    hostDeps: {
      logDebug: () => {},
      logError: () => {},
      signDevicePayload: (_, payload) => device.sign(payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
    onEvent: listening && ((event) => listening.onEvent(event)),
    onHelloOk: () => connected.resolve(),
    onConnectError: (error) => connected.reject(error),
    onClose: () => {
      connected.reject(new Error('closed'))
      close()
    },
  })
  let closed = false
  /** Otherwise the client would connect again by itself. */
  const close = () => {
    if (closed) return
    closed = true
    client.stop()
    address.close()
    listening?.onClose()
  }
  const late = setTimeout(() => connected.reject(new Error('timed out')), timeoutMs)
  try {
    client.start()
    await connected.promise
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(late)
  }
  return { request: (method, params) => client.request(method, params), close }
}

/** The pairing that would let Mosaic in, where that is what the gateway asks for. */
function pairingAsked(error: unknown): string | null {
  const { details } = error as Refusal
  return details?.code === 'PAIRING_REQUIRED' ? (details.requestId ?? null) : null
}

/** One that another call has approved meanwhile is refused: the next attempt to connect tells. */
async function approve(gateway: GatewayCall, requestId: string): Promise<void> {
  await callByHttp(gateway, 'device.pair.approve', { requestId }, gateway.timeoutMs)
}
