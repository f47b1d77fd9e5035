import type { IncomingMessage } from 'node:http'
import type Docker from 'dockerode'
import { readBeginning, readBytes } from '#bounded/body'

/**
 * A list of ten thousand containers has fifteen megabytes; both files of a log have twenty. Each call has a
 * deadline of its own.
 */
const ANSWER = { what: 'An answer of the Docker engine', maxBytes: 64 * 1024 * 1024 }

/** Enough of a refusal to know why, and the time that it may take to arrive. */
const REFUSAL = { what: 'A refusal of the Docker engine', maxBytes: 64 * 1024, maxMs: 10_000 }

/** dockerode itself reads a refusal to its end, however far that is: here it takes each answer for a good one. */
const ANY_STATUS = new Proxy({}, { get: () => true })

/** What of a call of dockerode decides how its answer is read. */
interface Dial {
  path: string
  isStream?: boolean
  openStdin?: boolean
  hijack?: boolean
  abortSignal?: AbortSignal
  /** True for a good answer, words for a bad one. */
  statusCodes: Record<number, true | string>
}

type DialCallback = (error: Error | null, answer: unknown) => void

/** Takes each answer as a stream, however long, and reads with a bound what dockerode would collect. */
export function withBoundedAnswers(docker: Docker): Docker {
  const { modem } = docker
  const dial = modem.dial.bind(modem)
  modem.dial = (options: Dial, callback: DialCallback) => {
    if (options.openStdin || options.hijack) return dial(options, callback)
    const asked = { ...options, isStream: true, statusCodes: ANY_STATUS }
    dial(asked, (error: Error | null, answer: unknown) => {
      if (error || !answer) return callback(error, null)
      received(answer as IncomingMessage, options).then(
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

/** As dockerode words it. */
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

/** As dockerode gives it: JSON, or the bytes where it is none. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) || bytes
  } catch {
    return bytes
  }
}
