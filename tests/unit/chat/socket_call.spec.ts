import { test } from '@japa/runner'
import { E_AGENT_GONE, E_AGENT_SILENT } from '#chat/errors'
import { SocketCall } from '#chat/socket_call'
import type { Approval } from '#openclaw/run_events'
import type { RunConnection, RunReader } from '#openclaw/run_socket'

const BRIEF_MS = 20
const LONG_MS = 600_000

const approval = (state: string): Approval => ({
  ...{ kind: 'approval', id: 'a1', about: 'exec', title: 'ls', detail: null },
  ...{ isWhole: true, decisions: ['deny'], expiresAt: null, state },
})

/** A call whose agent was heard once; `stopped` counts how often its run was ended. */
async function quietCall() {
  const reader = Promise.withResolvers<RunReader>()
  const told = { stopped: 0 }
  const socket: RunConnection = {
    start: async () => {},
    join: async () => null,
    read: reader.resolve,
    stop: async () => void told.stopped++,
    close: () => {},
  }
  const call = new SocketCall({
    open: async () => socket,
    start: async () => {},
    onRun: () => {},
    receiver: { begin() {}, receive() {}, end() {} },
    silence: { usual: BRIEF_MS, approval: LONG_MS },
  })
  return { call, told, reader: await reader.promise }
}

test.group('A run by socket', () => {
  test('that was joined is over once its agent is gone', async ({ assert }) => {
    const reader = Promise.withResolvers<RunReader>()
    const call = new SocketCall({
      joined: {
        ...{ start: async () => {}, join: async () => null, stop: async () => {}, close() {} },
        read: reader.resolve,
      },
      open: () => Promise.reject(new Error('connect ECONNREFUSED')),
      start: async () => {},
      onRun: () => {},
      receiver: { begin() {}, receive() {}, end() {} },
    })
    const told = await reader.promise
    told.onClose()
    await assert.rejects(() => call.done, E_AGENT_GONE)
  })

  test('is ended once its agent has been silent for too long', async ({ assert }) => {
    const { call, told } = await quietCall()
    await assert.rejects(() => call.done, E_AGENT_SILENT)
    assert.equal(told.stopped, 1)
  })

  test('waits for its owner for as long as an approval takes', async ({ assert }) => {
    const { call, told, reader } = await quietCall()
    reader.onRun(approval('pending'))
    await new Promise((resolve) => setTimeout(resolve, 5 * BRIEF_MS))
    assert.isFalse(call.isOver)
    reader.onRun(approval('allowed'))
    await assert.rejects(() => call.done, E_AGENT_SILENT)
    assert.equal(told.stopped, 1)
  })
})
