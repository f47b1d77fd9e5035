/** What `npm test` runs, and what may run at the same time. */

/**
 * The parts in the order of `npm test`: the quickest answer first. What has a `word` runs where a flag names
 * it, as `--driver podman`: it takes long, and proves what few need.
 *
 * `onMachine`: agents bear users and hold networks of this machine, which no two suites may do at once.
 * `alone`: runs in a network where no address comes or goes, since Chromium drops its requests whenever
 * one does.
 */
export const PARTS = {
  unit: [{}],
  functional: [{ on: 'SQLite' }, { on: 'PostgreSQL', needs: ['postgres'] }],
  contracts: [
    { on: 'this machine', onMachine: true, needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
    { on: 'Podman', word: 'podman', needs: ['podman'] },
  ],
  security: [
    { on: 'this machine', onMachine: true, needs: ['openclaw'] },
    { on: 'Docker', needs: ['engine'] },
  ],
  plugins: [{ onMachine: true, needs: ['bubblewrap'] }],
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
      on: 'Compose',
      word: 'compose',
      needs: ['openclaw', 'engine', 'openclaw image', 'stack'],
    },
  ],
}

/**
 * The suites of one lane run one after another, the lanes side by side. The second lane goes backwards, so
 * that the two long suites of the real OpenClaw lie far apart.
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
