import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import type Docker from 'dockerode'
import { readBeginning, readBytes } from '#bounded/body'

/**
 * A list of ten thousand containers takes 15 MB, both files of a log 20 MB. Each call has its own
 * deadline.
 */
const ANSWER = { what: 'An answer of the Docker engine', maxBytes: 64 * 1024 * 1024 }

/** Enough of an error response to show its cause, and the time it may take to arrive. */
const REFUSAL = { what: 'A refusal of the Docker engine', maxBytes: 64 * 1024, maxMs: 10_000 }

/** dockerode reads an error response without bound. Declaring every status a success prevents that. */
const ANY_STATUS = new Proxy({}, { get: () => true })

/** The options of a dockerode call that decide how its response is read. */
interface Dial {
  path: string
  isStream?: boolean
  openStdin?: boolean
  hijack?: boolean
  abortSignal?: AbortSignal
  /** True for success, a message for an error. */
  statusCodes: Record<number, true | string>
}

type DialCallback = (error: Error | null, answer: unknown) => void

/** The signal of the present call, for methods of dockerode that take none: a hung engine would keep their requests. */
export const callSignal = new AsyncLocalStorage<AbortSignal>()

/** Has dockerode return every response as a stream, and reads within a bound those that it would buffer. */
export function withBoundedAnswers(docker: Docker): Docker {
  const { modem } = docker
  const dial = modem.dial.bind(modem)
  modem.dial = (options: Dial, callback: DialCallback) => {
    if (options.openStdin || options.hijack) return dial(options, callback)
    const abortSignal = options.abortSignal ?? callSignal.getStore()
    const asked = { ...options, abortSignal, isStream: true, statusCodes: ANY_STATUS }
    dial(asked, (error: Error | null, answer: unknown) => {
      if (error || !answer) return callback(error, null)
      received(answer as IncomingMessage, { ...options, abortSignal }).then(
        (value) => callback(null, value),
        (failure: Error) => callback(failure, null)
      )
    })
  }
  return docker
}

async function received(answer: IncomingMessage, options: Dial): Promise<unknown> {
  if (options.statusCodes[answer.statusCode!] !== true) throw await refusal(answer, options)
  if (options.isStream) return answer
  return parsed(await readBytes(answer, { ...ANSWER, signal: options.abortSignal }))
}

/** Builds the error as dockerode would. */
async function refusal(answer: IncomingMessage, { statusCodes, abortSignal }: Dial) {
  const { statusCode } = answer
  const text = await readBeginning(answer, { ...REFUSAL, signal: abortSignal })
  const json = parsed(Buffer.from(text)) as { message?: string; error?: string }
  const reason = statusCodes[statusCode!] ?? 'unexpected'
  const said = json.message || json.error || text
  return Object.assign(new Error(`(HTTP code ${statusCode}) ${reason} - ${said} `), {
    statusCode,
    reason,
    json,
  })
}

/** Parses as dockerode does: JSON, or else the raw bytes. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) || bytes
  } catch {
    return bytes
  }
}
