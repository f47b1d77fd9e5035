/** The parts of `npm test`, and which may run at the same time. */

/**
 * Parts in the order of `npm test`, quickest first. A part with a `word` runs only if a flag names it, such as
 * `--driver podman`: it takes long and matters to few.
 *
 * `onMachine`: agents use this machine's users and networks, so no two such suites may run at once. `alone`:
 * runs in a network where no address comes or goes, because Chromium drops its requests whenever one does.
 */
export const PARTS = {
  unit: [{}],
  functional: [{ on: 'SQLite' }, { on: 'PostgreSQL', needs: ['postgres'] }],
  contracts: [
    { on: 'this machine', onMachine: true, needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
    { on: 'Podman', word: 'podman', needs: ['podman'] },
    { on: 'Swarm', word: 'swarm', needs: ['swarm'] },
  ],
  security: [
    { on: 'this machine', onMachine: true, needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
  ],
  plugins: [{ needs: ['bubblewrap', 'build', 'openclaw'] }],
  browser: [{ alone: true, needs: ['chromium', 'build'] }],
  e2e: [
    { on: 'this machine', onMachine: true, needs: ['chromium', 'build', 'openclaw'] },
    { on: 'Docker', needs: ['chromium', 'build', 'openclaw', 'engine', 'openclaw image'] },
    {
      on: 'Docker, at work',
      word: 'docker_at_work',
      needs: ['build', 'openclaw', 'engine', 'openclaw image'],
    },
    {
      on: 'this machine, the chat page',
      word: 'chat_page',
      onMachine: true,
      needs: ['chromium', 'build', 'openclaw'],
    },
    {
      on: 'this machine, with clients',
      word: 'clients',
      onMachine: true,
      needs: ['openclaw', 'clients'],
    },
    {
      on: 'Compose',
      word: 'compose',
      needs: ['openclaw', 'engine', 'openclaw image', 'stack'],
    },
    { on: 'Swarm', word: 'swarm', needs: ['build', 'swarm', 'swarm stack'] },
  ],
}

/**
 * Splits runs into lanes: the suites of a lane run one after another, the lanes in parallel. The second lane is
 * reversed, so that the two long suites with the real OpenClaw are far apart.
 *
 * @template {{ onMachine?: boolean }} Run
 * @param {Run[]} runs
 * @returns {Run[][]} One lane or two, none of them empty.
 */
export function lanes(runs) {
  const onMachine = runs.filter((run) => run.onMachine).toReversed()
  const apart = runs.filter((run) => !run.onMachine)
  return [apart, onMachine].filter((lane) => lane.length > 0)
}
