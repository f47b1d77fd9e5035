/** Completes the set-up through the API that a person would use, with the model that needs no key. */
import { randomBytes } from 'node:crypto'
import { SetupFailure } from './failure.mjs'

const USERNAME = 'admin'
const DEMO_PROVIDER = { type: 'demo', name: 'demo', displayName: 'Demo', models: [] }
const DEMO_MODEL = 'echo'

/** @param {{ server: import('./server.mjs').MosaicServer, terminal: import('./terminal.mjs').Terminal }} parts */
export async function answerSetup({ server, terminal }) {
  const client = new SetupClient(server.url)
  const { completed } = await client.ask('GET', '')
  if (completed) {
    return say(terminal, server, 'The demo was set up before: sign in with its password.')
  }
  if (!server.setupLink) {
    return say(terminal, server, 'Setup was begun by hand: sign in and finish it there.')
  }

  const password = randomBytes(12).toString('base64url')
  const setupToken = new URL(server.setupLink).searchParams.get('token')
  await client.ask('POST', '/breakglass', { setupToken, username: USERNAME, password })

  /** Printed at once: the account exists from here on, whatever the next steps do. */
  terminal.line()
  terminal.line(`  Username  ${terminal.strong(USERNAME)}`)
  terminal.line(`  Password  ${terminal.strong(password)}   ${terminal.quiet('(shown this once)')}`)

  await client.ask('POST', '/auth', { skip: true })
  await client.ask('POST', '/provider', { ...DEMO_PROVIDER, primaryModel: DEMO_MODEL })
  await client.ask('POST', '/system-agents', { skip: true })
  await client.ask('POST', '/complete', {})
  say(terminal, server)
}

function say(terminal, server, text) {
  terminal.line()
  if (text) terminal.line(`  ${text}`)
  terminal.line(`  ${terminal.strong('Chat here:')}  ${terminal.link(`${server.url}/chat`)}`)
}

/** Keeps the session and sends the CSRF token, like a browser. */
class SetupClient {
  #base
  #cookies = new Map()

  constructor(url) {
    this.#base = `${url}/api/v1/onboarding`
  }

  async ask(method, path, body) {
    const csrf = this.#cookies.get('XSRF-TOKEN')
    const answer = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        'accept': 'application/json',
        'content-type': 'application/json',
        'cookie': [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(csrf ? { 'x-xsrf-token': decodeURIComponent(csrf) } : {}),
      },
      body: body && JSON.stringify(body),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
      this.#cookies.set(name, value)
    }
    const { data, errors } = await answer.json()
    if (answer.ok) return data

    const [{ message, hint }] = errors
    throw new SetupFailure(`The setup stopped at ${method} ${path}: ${message}`, hint)
  }
}
