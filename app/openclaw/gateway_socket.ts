import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { plainAddress } from '#runtimes/gateway_connections'
import { deviceOf } from '#openclaw/gateway_device'
import { callByHttp, type ControlledGateway } from '#openclaw/gateway_rpc'

/** The wire version of the OpenClaw that Mosaic pins. */
const PROTOCOL = 4

/** Calls that come at once to a gateway that does not know Mosaic yet get in each other's way. */
const MOST_PAIRINGS = 3

interface GatewayCall extends ControlledGateway {
  /** Milliseconds for each step: to connect, to be let in, to be answered. */
  timeoutMs: number
}

/** What a gateway adds to a refusal. */
interface Refusal {
  details?: { code?: string; requestId?: string }
}

/**
 * One call of a gateway's WebSocket methods, for what it does not offer over HTTP: connect, ask, leave.
 *
 * Over loopback the token alone would do; from another host OpenClaw gives it no rights without a paired
 * device. So Mosaic comes as one, and where the gateway does not know it yet, lets itself in: the token
 * may approve devices over HTTP. That happens once for each agent, which keeps it in its state.
 *
 * @throws E_GATEWAY_FAILED when the gateway refuses, is unreachable, or takes longer than `timeoutMs`
 */
export async function callGateway<Result>(
  gateway: GatewayCall,
  method: string,
  params: Record<string, unknown>
): Promise<Result> {
  try {
    for (let pairings = 0; ; pairings++) {
      try {
        return await connectAndAsk<Result>(gateway, method, params)
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

/** The client is OpenClaw's own, loaded at the first call: it takes 16 MB of memory. */
async function connectAndAsk<Result>(
  { url, token, timeoutMs }: GatewayCall,
  method: string,
  params: Record<string, unknown>
): Promise<Result> {
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
    // The client would hand its key to the signing below, which has it already.
    deviceIdentity: { deviceId: device.id, privateKeyPem: '', publicKeyPem: '' },
    hostDeps: {
      logDebug: () => {},
      logError: () => {},
      signDevicePayload: (_, payload) => device.sign(payload),
      publicKeyRawBase64UrlFromPem: () => device.publicKey,
    },
    onHelloOk: () => connected.resolve(),
    onConnectError: (error) => connected.reject(error),
    onClose: () => connected.reject(new Error('closed')),
  })
  const late = setTimeout(() => connected.reject(new Error('timed out')), timeoutMs)
  try {
    client.start()
    await connected.promise
    return await client.request<Result>(method, params)
  } finally {
    clearTimeout(late)
    client.stop()
    address.close()
  }
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
