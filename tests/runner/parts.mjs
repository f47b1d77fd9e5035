/** The parts of `npm test`, and which may run at the same time. */

/** Suites that run at a time. One more than CI has processors: those with agents wait a lot. */
export const LANES = 3

/**
 * Parts in the order in which they begin, longest first. A part with a `word` runs only if a flag names it, such
 * as `--driver podman`: it takes long and matters to few. A part with `specs` consists of these specs only.
 *
 * `uses`: what only one suite at a time may use. Agents on this machine share its users, those of one engine its
 * containers; doubles of agents have users of their own, and share the swap that their tests add. `alone`: runs in a
 * network of its own, because Chromium drops its requests whenever an address comes or goes, as with each sandbox.
 */
export const PARTS = {
  e2e: [
    { on: 'this machine', uses: ['machine'], needs: ['chromium', 'build', 'openclaw'] },
    {
      on: 'Docker',
      uses: ['engine'],
      needs: ['chromium', 'build', 'openclaw', 'engine', 'openclaw image'],
    },
    {
      on: 'no runtime',
      specs: [
        'bad_start',
        'chaos_memory',
        'first_boot',
        'openclaw_documents',
        'rolling_update',
        'taken_ports',
      ],
      needs: ['build', 'openclaw'],
    },
    { on: 'doubles', specs: ['chaos'], uses: ['doubles'], needs: ['build'] },
    {
      on: 'Docker, at work',
      word: 'docker_at_work',
      uses: ['engine'],
      needs: ['build', 'openclaw', 'engine', 'openclaw image'],
    },
    {
      on: 'this machine, the chat page',
      word: 'chat_page',
      uses: ['machine'],
      needs: ['chromium', 'build', 'openclaw'],
    },
    {
      on: 'this machine, with clients',
      word: 'clients',
      uses: ['machine'],
      needs: ['openclaw', 'clients'],
    },
    {
      on: 'Compose',
      word: 'compose',
      uses: ['engine'],
      needs: ['openclaw', 'engine', 'openclaw image', 'stack'],
    },
    { on: 'Swarm', word: 'swarm', uses: ['engine'], needs: ['build', 'swarm', 'swarm stack'] },
  ],
  browser: [{ alone: true, needs: ['chromium', 'build'] }],
  functional: [
    { on: 'PostgreSQL', needs: ['postgres'] },
    { on: 'SQLite', needs: [] },
  ],
  contracts: [
    { on: 'this machine', uses: ['doubles'], alone: true, needs: ['openclaw'] },
    { on: 'Docker', uses: ['engine'], needs: ['engine'] },
    { on: 'Podman', word: 'podman', uses: ['engine'], needs: ['podman'] },
    { on: 'Swarm', word: 'swarm', uses: ['engine'], needs: ['swarm'] },
  ],
  plugins: [{ needs: ['bubblewrap', 'build', 'openclaw'] }],
  security: [
    { on: 'this machine', uses: ['doubles'], alone: true, needs: ['openclaw'] },
    { on: 'Docker', uses: ['engine'], needs: ['engine'] },
    {
      on: 'no runtime',
      specs: [
        'admin_blindness',
        'credential_routes',
        'endless_answers',
        'gateway_tokens',
        'hostile_gateway',
        'openapi',
        'route_rules',
        'socket_proxy',
        'ssrf',
      ],
      needs: ['openclaw'],
    },
  ],
  unit: [{ needs: [] }],
}
