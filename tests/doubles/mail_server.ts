import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

interface TakenMail {
  from: string
  to: string[]
  /** Headers and text as received. */
  source: string
  secure: boolean
}

interface Options extends SMTPServerOptions {
  account?: string[]
  /** Uses a self-signed certificate. */
  tls?: boolean
}

/** A real SMTP server on loopback that stores the mail it accepts. */
export class TestMailServer {
  readonly taken: TakenMail[] = []
  readonly #server: SMTPServer

  /** `account` restricts sign-in; by default anyone may send. Offers TLS only with `tls`. */
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
    /** A client that disconnects midway does not fail a test. */
    this.#server.on('error', () => {})
  }

  /** Returns its port. */
  async start(): Promise<number> {
    const listener = this.#server.listen(0, '127.0.0.1')
    if (!listener.listening) await once(listener, 'listening')
    return (listener.address() as AddressInfo).port
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
