import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

interface TakenMail {
  from: string
  to: string[]
  /** As it came: headers and text. */
  source: string
  secure: boolean
}

interface Options extends SMTPServerOptions {
  account?: string[]
  /** With a certificate that nobody vouches for. */
  tls?: boolean
}

/** A real SMTP server on loopback that keeps what it takes. */
export class TestMailServer {
  readonly taken: TakenMail[] = []
  readonly #server: SMTPServer

  /** `account`: whom it lets in; left out, anyone. It offers no TLS unless `tls` says so. */
  constructor({ account, tls, ...options }: Options = {}) {
    this.#server = new SMTPServer({
      authOptional: !account,
      allowInsecureAuth: true,
      disabledCommands: tls ? [] : ['STARTTLS'],
      closeTimeout: 100,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === account?.[0] && password === account?.[1]
        if (isRight) done(null, { user: username })
        else done(new Error(`no such account: ${username} ${password}`))
      },
      onData: (stream, session, done) => {
        const { mailFrom, rcptTo } = session.envelope
        void text(stream).then((source) => {
          this.taken.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            source,
            secure: session.secure,
          })
          done()
        })
      },
      ...options,
    })
    /** A client that leaves in the middle is no failure of a test. */
    this.#server.on('error', () => {})
  }

  /** The port that it listens on. */
  async start(): Promise<number> {
    const listener = this.#server.listen(0, '127.0.0.1')
    if (!listener.listening) await once(listener, 'listening')
    return (listener.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
