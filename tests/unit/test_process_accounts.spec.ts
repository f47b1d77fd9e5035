import { test } from '@japa/runner'
import { ProcessAccounts, type Account } from '../runner/process_accounts.mjs'

const SUITE = 10
const MOSAIC = 20
const SANDBOX = 30
const AGENT = 40

/** A process that was born with its id, and its seconds. */
const account = (pid: number, parent: number, own: number, ofChildren = 0): Account => ({
  pid,
  parent,
  bornAt: `${pid}`,
  own,
  ofChildren,
})

const init = account(1, 0, 500, 500)
const machine = (...others: Account[]) => [init, ...others]
const accounts = () => new ProcessAccounts((pid) => pid === SUITE)

test.group('The processor time of a run', () => {
  test('is that of all that descends from it, and of nobody else', ({ assert }) => {
    const run = accounts()
    const agent = account(AGENT, SANDBOX, 25)
    const others = [account(2, 1, 100), account(3, 2, 7)]
    const ours = [account(SANDBOX, MOSAIC, 1), account(MOSAIC, SUITE, 3), account(SUITE, 1, 2)]
    assert.equal(run.look(machine(agent, ...others, ...ours)), 31)
  })

  test('counts once what a parent was given', ({ assert }) => {
    const run = accounts()
    run.look(machine(account(SUITE, 1, 1), account(MOSAIC, SUITE, 3)))
    assert.equal(run.look(machine(account(SUITE, 1, 1, 4))), 5)
    assert.equal(run.look(machine(account(SUITE, 1, 2, 4))), 6)
  })

  test('keeps that of an agent that was killed with its whole sandbox', ({ assert }) => {
    const run = accounts()
    const above = [account(SUITE, 1, 1), account(MOSAIC, SUITE, 3)]
    run.look(machine(...above, account(SANDBOX, MOSAIC, 1), account(AGENT, SANDBOX, 25)))
    /** The sandbox was waited for, the agent by another process. */
    const after = [account(SUITE, 1, 1), account(MOSAIC, SUITE, 3, 1)]
    assert.equal(run.look(machine(...after)), 30)
    assert.equal(run.look(machine(...after)), 30)
    assert.equal(run.look(machine(account(SUITE, 1, 1), account(MOSAIC, SUITE, 5, 1))), 32)
  })

  test('keeps that of a Mosaic that was killed, and of its agents that outlive it', ({
    assert,
  }) => {
    const run = accounts()
    const suite = account(SUITE, 1, 1)
    run.look(machine(suite, account(MOSAIC, SUITE, 3), account(AGENT, MOSAIC, 25)))
    const waited = account(SUITE, 1, 1, 3)
    assert.equal(run.look(machine(waited, account(AGENT, 1, 26))), 30)
    assert.equal(run.look(machine(waited)), 30)
  })

  test('keeps all of it at the end', ({ assert }) => {
    const run = accounts()
    run.look(machine(account(SUITE, 1, 1), account(MOSAIC, SUITE, 3)))
    assert.equal(run.look(machine()), 4)
  })

  test('is not that of a process with the id of an ended one', ({ assert }) => {
    const run = accounts()
    run.look(machine(account(SUITE, 1, 1), account(MOSAIC, SUITE, 3)))
    const other = { ...account(MOSAIC, 1, 90), bornAt: 'later' }
    assert.equal(run.look(machine(account(SUITE, 1, 1, 3), other)), 4)
  })

  test('has that of a sandbox which shows a moment later whose it is', ({ assert }) => {
    let isMounted = false
    const run = new ProcessAccounts((pid) => pid === SUITE || (pid === SANDBOX && isMounted))
    const all = machine(account(SUITE, 1, 1), account(AGENT, SANDBOX, 25), account(SANDBOX, 1, 1))
    assert.equal(run.look(all), 1)
    isMounted = true
    assert.equal(run.look(all), 27)
  })
})
