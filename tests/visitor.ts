interface Answer {
  status: number
  headers: Headers
  /** The body as JSON, or as text where it is none. */
  body: any
}

/**
 * A browser as the server sees one: it keeps cookies, and sends the XSRF cookie back as a header. It
 * follows no redirect, so that tests see them.
 */
export class Visitor {
  readonly #cookies = new Map<string, string>()

  constructor(
    protected options: { headers?: Record<string, string>; sendXsrf?: boolean } = {},
    protected origin = `http://${process.env.HOST}:${process.env.PORT}`
  ) {}

  get cookies(): ReadonlyMap<string, string> {
    return this.#cookies
  }

  get(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('GET', path, undefined, headers)
  }

  post(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<Answer> {
    return this.send('POST', path, body, headers)
  }

  patch(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer> {
    return this.send('PATCH', path, body, headers)
  }

  delete(path: string, headers?: Record<string, string>): Promise<Answer> {
    return this.send('DELETE', path, undefined, headers)
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ): Promise<Answer> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      redirect: 'manual',
      headers: { accept: 'application/json', ...this.#headers(body), ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    })
    this.#keepCookies(response)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: parsed(text) }
  }

  #headers(body: unknown): Record<string, string> {
    const headers: Record<string, string> = { ...this.options.headers }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (this.#cookies.size > 0) {
      headers.cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    }
    const xsrf = this.#cookies.get('XSRF-TOKEN')
    if (xsrf && this.options.sendXsrf !== false) headers['x-xsrf-token'] = xsrf
    return headers
  }

  #keepCookies(response: Response): void {
    for (const cookie of response.headers.getSetCookie()) {
      const [pair] = cookie.split(';')
      const at = pair.indexOf('=')
      this.#cookies.set(pair.slice(0, at), pair.slice(at + 1))
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
