import { requestGateway as request } from '#runtimes/gateway_connections'
import { readText } from '#bounded/body'

/** Size limit: the longest response, the gateway's document, takes some hundred kilobytes. */
const MAX_BYTES = 8 * 1024 * 1024

/** URL and token of a gateway, as in `GatewayAccess`. */
export interface ControlledGateway {
  url: string
  token: string
}

/**
 * Calls one gateway method over plain HTTP (plugin `admin-http-rpc`) and returns status and text, whatever
 * they are. Rejects if the gateway is unreachable or takes longer than `timeoutMs`, or when the signal aborts.
 */
export async function callByHttp(
  { url, token }: ControlledGateway,
  method: string,
  params: object,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }
): Promise<{ status: number; text: string }> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const limit = signal ? AbortSignal.any([timeout, signal]) : timeout
  const response = await request(`${url}/api/v1/admin/rpc`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ method, params }),
    signal: limit,
  })
  const what = 'The answer of the gateway'
  const limits = { what, maxBytes: MAX_BYTES, maxMs: timeoutMs, signal }
  const text = await readText(response.body, limits)
  return { status: response.statusCode, text }
}
