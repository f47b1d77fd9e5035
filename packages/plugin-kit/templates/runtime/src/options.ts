import type { RuntimeOption, RuntimeOptionValues } from '@mosaic/plugin-kit/runtime'

/** Option form of this runtime under Administration → Runtime: text, secret, number, flag or choice. */
export const OPTIONS = [
  { name: 'region', label: 'Region', help: 'An example: where agents run.', type: 'text' },
] as const satisfies RuntimeOption[]

/** Type of the values: `const { region } = (await context.options()) as Options`. */
export type Options = RuntimeOptionValues<typeof OPTIONS>
