import type { RuntimeOption, RuntimeOptionValues } from '@mosaic/plugin-kit/runtime'

/** Options that an admin sets under Administration → Runtime. */
export const OPTIONS = [
  {
    name: 'readable',
    label: 'Readable folders',
    help: 'Folders of the machine that every agent may read, separated by colons. An agent sees them from its next start on.',
    type: 'text',
  },
] as const satisfies RuntimeOption[]

export type Options = RuntimeOptionValues<typeof OPTIONS>

/** Returns the absolute paths of the readable folders. */
export function readableFolders({ readable }: Options): string[] {
  return (readable ?? '').split(':').filter((path) => path.startsWith('/'))
}
