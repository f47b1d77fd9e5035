import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from '@japa/runner'
import { OpenAiChat, type OpenAiChatServices } from '#chat/openai_chat'
import { RunningCalls } from '#chat/running_calls'

const CALLS = 4000
const AT_ONCE = 32
/** Calls between two collections: none lives through two, which would make it old. */
const BETWEEN = 100
const BALLAST_BYTES = 4000
/** Half of all: a chain of requests keeps everything, and other suites' code in the same process a fourth at most. */
const MOST_BYTES = (CALLS * BALLAST_BYTES) / 2

setFlagsFromString('--expose-gc')
const collect: (options?: { type: 'minor' }) => void = runInNewContext('gc')

/** Frees what is dead, and makes old what is alive. */
function collectYoung(): void {
  for (let round = 0; round < 3; round++) collect({ type: 'minor' })
}

/** Returns the bytes that only a full garbage collection would free after these calls. */
async function bytesLeft(
  call: (ballast: number[]) => Promise<() => void> | (() => void)
): Promise<number> {
  const open: (() => void)[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  for (let number = 0; number < CALLS; number++) {
    open.push(await call(new Array<number>(BALLAST_BYTES / 8).fill(number)))
    /** What lives throughout is old, as in a server. */
    if (number === AT_ONCE / 2) collectYoung()
    if (open.length > AT_ONCE) open.shift()!()
    if (number % BETWEEN === 0) collect({ type: 'minor' })
  }
  for (const end of open) end()
  collectYoung()
  return process.memoryUsage().heapUsed - before
}

/** Requests that grow old before they are collected cost a seventh of the relay's processor time. */
test.group('What a request used is collected young', () => {
  test('a call', async ({ assert }) => {
    const calls = new RunningCalls()
    const left = await bytesLeft((ballast) => {
      const client = Object.assign(new EventEmitter(), { destroyed: false })
      return calls.begin(client, () => void ballast.length)
    })
    assert.isBelow(left, MOST_BYTES)
  })

  test('a message', async ({ assert }) => {
    const body = Buffer.from(
      JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    )
    const ends: (() => void)[] = []
    const chat = new OpenAiChat({
      relay: { send: () => new Promise<void>((resolve) => void ends.push(resolve)) },
      bodies: {
        body: () => ({ hold: { take() {}, release() {} }, deadlineMs: 60_000 }),
      },
    } as unknown as OpenAiChatServices)
    const left = await bytesLeft(async (ballast) => {
      const request = Object.assign(new Readable({ read() {} }), {
        headers: { 'content-length': String(body.length) },
      })
      request.push(body)
      request.push(null)
      const response = { headersSent: false, ballast }
      const answered = chat.answer({ agent: 'user/1', request, response } as any)
      while (ends.length === 0) await new Promise((resolve) => setImmediate(resolve))
      const end = ends.pop()!
      return () => void (end(), answered)
    })
    assert.isBelow(left, MOST_BYTES)
  })
})
