/**
 * A process that proves the isolation of agents, as a web process of Mosaic does when it starts.
 *
 * Usage: probing_mosaic.ts <folder of the agents> <uid> <uid>
 */
import { proveIsolation } from '#runtimes/drivers/process/sandbox/isolation_probe'
import { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'

const [folder, ...words] = process.argv.slice(2)
const uids = words.map(Number) as [number, number]
const sandboxes = new Sandboxes(folder, async () => 'sealed')
await proveIsolation({ sandboxes, uids, node: process.execPath })
await sandboxes.close()
