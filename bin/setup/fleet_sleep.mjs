/**
 * Tells in words what `fleet:sleep --json` printed, also where its status is 1 because agents go on running.
 *
 * @param {() => Promise<string>} run Runs it; fails as `command` does.
 * @returns {Promise<{ words: string, areAllAsleep: boolean }>}
 * @throws SetupFailure if it did not count, or could not stop an agent
 */
export async function fleetSleep(run) {
  const said = await run().catch((error) => {
    if (!error.out?.startsWith('{') || JSON.parse(error.out).failed > 0) throw error
    return error.out
  })
  const { stopped, skipped } = JSON.parse(said)
  if (skipped === 0) {
    return { words: stopped === 0 ? 'none was awake' : `${stopped} asleep`, areAllAsleep: true }
  }
  return {
    words: `${stopped} asleep, ${skipped} still running: try "node ace fleet:reconcile", then "node ace fleet:sleep"`,
    areAllAsleep: false,
  }
}
