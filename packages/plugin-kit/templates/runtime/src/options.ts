import type { RuntimeOption, RuntimeOptionValues } from '@mosaic/plugin-kit/runtime'

/** The form of this runtime under Administration → Runtime: text, secret, number, flag or choice. */
export const OPTIONS = [
  { name: 'region', label: 'Region', help: 'An example: where agents run.', type: 'text' },
] as const satisfies RuntimeOption[]

/** As `context.options()` gives them: `const { region } = (await context.options()) as Options`. */
export type Options = RuntimeOptionValues<typeof OPTIONS>
