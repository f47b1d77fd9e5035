import { ApiRequest } from '@adonisjs/ally'
import { parseJson } from '#bounded/json'
import type { Fetch } from '#llm/contract'
import { limitedText } from '#identity/oidc/limited_text'
import { isTrustworthy } from '#identity/trustworthy_url'
import { E_SERVICE_ANSWER, E_SIGN_IN_REFUSED } from '#identity/services/errors'

/**
 * An Ally driver's request through the guarded fetch: follows no redirect, has a deadline, and limits what it
 * reads. It resolves once.
 */
export class GuardedRequest extends ApiRequest {
  constructor(
    protected url: string,
    protected fetch: Fetch
  ) {
    super(url)
  }

  /** @throws E_SERVICE_ANSWER, E_SIGN_IN_REFUSED, E_BLOCKED_ADDRESS, what `fetch` throws */
  override get(): Promise<any> {
    return this.#send('GET')
  }

  /** Throws like `get`. */
  override post(): Promise<any> {
    return this.#send('POST')
  }

  async #send(method: 'GET' | 'POST'): Promise<unknown> {
    if (!isTrustworthy(this.url)) throw new E_SIGN_IN_REFUSED('invalid')
    const url = new URL(this.url)
    for (const [name, value] of Object.entries(this.getParams()))
      url.searchParams.append(name, value)
    const isJson = this.getResponseType() === 'json'
    const response = await this.fetch(url.href, {
      method,
      headers: {
        ...(isJson && { accept: 'application/json' }),
        ...(method === 'POST' && { 'content-type': this.#bodyType }),
        /** GitHub refuses requests without a user agent. */
        'user-agent': 'Mosaic',
        ...this.getHeaders(),
      },
      ...(method === 'POST' && { body: this.#body }),
    })
    const text = await limitedText(response)
    if (!response.ok) throw new E_SERVICE_ANSWER(reasonOf(method, response.status), response.status)
    return isJson ? parsed(text) : text
  }

  get #bodyType(): string {
    return this.getRequestType() === 'json'
      ? 'application/json'
      : 'application/x-www-form-urlencoded'
  }

  get #body(): string {
    const fields = this.getFields()
    return this.getRequestType() === 'json'
      ? JSON.stringify(fields)
      : new URLSearchParams(fields).toString()
  }
}

/** Only codes are posted, so a refusal concerns the code or the client. */
function reasonOf(method: 'GET' | 'POST', status: number) {
  if (status >= 500 || status === 429) return 'unreachable'
  return method === 'POST' ? 'code' : 'invalid'
}

/** @throws E_SIGN_IN_REFUSED for anything but an object or a list */
function parsed(text: string): unknown {
  try {
    const value: unknown = parseJson(text)
    if (value && typeof value === 'object') return value
  } catch {
    /** Reported below: the response was not JSON. */
  }
  throw new E_SIGN_IN_REFUSED('invalid')
}
