import { E_GATEWAY_FAILED } from '#openclaw/errors'

/** The wire version of the OpenClaw that Mosaic pins. */
const PROTOCOL = 4

/**
 * One call of a gateway's WebSocket methods, for what it does not offer over HTTP: connect, ask, leave.
 * The token alone is enough over loopback; from another host OpenClaw also wants a paired device.
 *
 * The client is OpenClaw's own, loaded at the first call: it takes 16 MB of memory.
 *
 * @throws E_GATEWAY_FAILED when the gateway refuses, is unreachable, or takes longer than `timeoutMs`
 */
export async function callGateway<Result>(
  gateway: { url: string; token: string; timeoutMs: number },
  method: string,
  params: Record<string, unknown>
): Promise<Result> {
  const { GatewayClient } = await import('@openclaw/gateway-client')
  const connected = Promise.withResolvers<void>()
  const client = new GatewayClient({
    url: gateway.url.replace(/^http/, 'ws'),
    token: gateway.token,
    minProtocol: PROTOCOL,
    maxProtocol: PROTOCOL,
    requestTimeoutMs: gateway.timeoutMs,
    hostDeps: { logDebug: () => {}, logError: () => {} },
    onHelloOk: () => connected.resolve(),
    onConnectError: (error) => connected.reject(error),
    onClose: () => connected.reject(new Error('closed')),
  })
  const late = setTimeout(() => connected.reject(new Error('timed out')), gateway.timeoutMs)
  try {
    client.start()
    await connected.promise
    return await client.request<Result>(method, params)
  } catch (error) {
    throw new E_GATEWAY_FAILED(undefined, { cause: error })
  } finally {
    clearTimeout(late)
    client.stop()
  }
}
