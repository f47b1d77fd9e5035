/**
 * `npm run quickstart`: from a fresh clone to a running Mosaic; later starts take seconds. `-- --demo` also
 * completes the set-up, with a model that needs no key.
 */
const OLDEST_MAJOR = 20

if (Number.parseInt(process.versions.node, 10) < OLDEST_MAJOR) {
  console.error(`Mosaic needs Node ${OLDEST_MAJOR} or newer to start, this is ${process.version}.`)
  process.exitCode = 1
} else {
  const { quickstart } = await import('./setup/quickstart.mjs')
  await quickstart(process.argv.slice(2))
}
