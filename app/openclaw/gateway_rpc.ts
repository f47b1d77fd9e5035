import { requestGateway as request } from '#runtimes/gateway_connections'
import { readText } from '#bounded/body'

/** Its own document, the longest answer, has some hundred kilobytes. */
const MAX_BYTES = 8 * 1024 * 1024

/** Where a gateway is and what opens it: those of `GatewayAccess`. */
export interface ControlledGateway {
  url: string
  token: string
}

/**
 * One call of a gateway's methods by plain HTTP (its plugin `admin-http-rpc`): the status and the text of the
 * answer, whatever they say. Rejects when the gateway is away, or takes longer than `timeoutMs`.
 */
export async function callByHttp(
  { url, token }: ControlledGateway,
  method: string,
  params: object,
  timeoutMs: number
): Promise<{ status: number; text: string }> {
  const response = await request(`${url}/api/v1/admin/rpc`, {
    method: 'POST',
    headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ method, params }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  const what = 'The answer of the gateway'
  const text = await readText(response.body, { what, maxBytes: MAX_BYTES, maxMs: timeoutMs })
  return { status: response.statusCode, text }
}
