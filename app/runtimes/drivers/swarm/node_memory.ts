/** A guard's report of its node: its id, kibibytes in use, and the time in seconds of the epoch. */
const REPORT = /^memory ([a-z0-9]+) (\d+) (\d+)$/

/** Returns the bytes of memory in use by node, from lines of the guards in any order. */
export function memoryOfNodes(lines: string[]): Map<string, number> {
  const latest = new Map<string, { at: number; bytes: number }>()
  for (const line of lines) {
    const [, node, kibibytes, seconds] = REPORT.exec(line) ?? []
    if (!node) continue
    const at = Number(seconds)
    if (at > (latest.get(node)?.at ?? 0)) latest.set(node, { at, bytes: Number(kibibytes) * 1024 })
  }
  return new Map([...latest].map(([node, { bytes }]) => [node, bytes]))
}
