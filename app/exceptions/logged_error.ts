const quoting = new WeakSet<Error>()

/** Marks an error whose message may quote a chat: the person sees it, and no log does. Returns the error. */
export function quotes<Failure extends Error>(error: Failure): Failure {
  quoting.add(error)
  return error
}

/** How OpenClaw's client begins the reason that a gateway gave. */
const CLOSED = 'gateway closed ('

/** Returns whether a message quotes a gateway, a provider or an agent, or data that one of them sent. */
function isQuoting(error: Error): boolean {
  if (quoting.has(error)) return true
  /** Refusals as OpenClaw's client throws them, and what undici could not parse. */
  const { gatewayCode, code } = error as { gatewayCode?: unknown; code?: unknown }
  if (gatewayCode !== undefined || error.message.startsWith(CLOSED)) return true
  if (typeof code === 'string' && code.startsWith('HPE_')) return true
  /** The engine quotes the JSON that it cannot parse. */
  return error instanceof SyntaxError
}

/** An error may be its own cause. */
const MOST_CAUSES = 10

/**
 * Returns a copy of an error for the log, without the words of others in it and its causes: admins read the log, and
 * may read no chat. The copy keeps code, class and stack. Returns an error without such words itself.
 */
export function loggedError(error: unknown): unknown {
  return chainOf(error).some(isQuoting) ? withoutWords(error as Error, MOST_CAUSES) : error
}

function chainOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let link = error; link instanceof Error && chain.length < MOST_CAUSES; link = link.cause) {
    chain.push(link)
  }
  return chain
}

function withoutWords(error: Error, depth: number): Error {
  const isQuoted = isQuoting(error)
  const message = isQuoted ? `${nameOf(error)}: its words are not logged` : error.message
  const { name, status, code, help } = error as Error & Record<'status' | 'code' | 'help', unknown>
  const cause = error.cause instanceof Error && depth > 1 && withoutWords(error.cause, depth - 1)
  const kept = isQuoted
    ? { status, ...(isCode(code) && { code }), ...(help !== '' && { help }) }
    : { ...error }
  const told: Error = Object.assign(Object.create(Object.getPrototypeOf(error)), kept)
  const stack = isQuoted ? [`${name}: ${message}`, ...framesOf(error)].join('\n') : error.stack
  for (const [key, value] of Object.entries({ name, message, stack, cause: cause || undefined })) {
    Object.defineProperty(told, key, { value, configurable: true, writable: true })
  }
  return told
}

const isCode = (code: unknown) => typeof code === 'string' && /^\w{1,64}$/.test(code)

const nameOf = (error: Error) => {
  const { code } = error as { code?: unknown }
  return isCode(code) ? (code as string) : error.constructor.name
}

const isFrame = (line: string) => line.startsWith('    at ')

/** The lines of the stack below the message, which may have lines like them. */
function framesOf({ stack = '', message }: Error): string[] {
  const at = message === '' ? -1 : stack.indexOf(message)
  return (at === -1 ? stack : stack.slice(at + message.length)).split('\n').filter(isFrame)
}
