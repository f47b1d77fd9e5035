import type { Fetch } from '#llm/contract'
import { faultOfAddress } from '#llm/web_address'
import { isTrustworthy } from '#identity/trustworthy_url'
import { E_SERVICE_ADDRESS } from '#identity/services/errors'

/** An admin waits for it. */
const DEADLINE_MS = 10_000

/**
 * Returns the origin of the server that an admin entered, in the URL standard's spelling, so that one server is
 * one issuer.
 *
 * @throws E_SERVICE_ADDRESS for anything else
 */
export function serverAddress(entered: string): string {
  const fault = faultOfAddress(entered)
  if (fault) throw new E_SERVICE_ADDRESS(fault)
  const { origin, href } = new URL(entered)
  if (href === `${origin}/`) return origin
  throw new E_SERVICE_ADDRESS(
    'Enter the address of the server alone.',
    'It ends after the name of the server and its port.'
  )
}

/**
 * Checks that an admin's address may be called and that something answers there.
 *
 * @throws E_SERVICE_ADDRESS
 */
export async function lookAt(address: string, fetch: Fetch): Promise<void> {
  if (!isTrustworthy(address)) {
    throw new E_SERVICE_ADDRESS(
      'The service must be called by https.',
      'Plain http is for servers on your own network: anyone on the way could sign in as anyone.'
    )
  }
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(DEADLINE_MS) })
    await response.body?.cancel()
  } catch (error) {
    throw new E_SERVICE_ADDRESS('The service cannot be reached.', (error as { help?: string }).help)
  }
}
