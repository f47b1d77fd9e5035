import type { Runtime } from '~/api/shapes'
import { tOr } from '~/locales'

/** What a runtime is called: by its driver, else by Mosaic, else by its name. */
export function runtimeLabel({ label, name }: Pick<Runtime, 'label' | 'name'>): string {
  return label ?? tOr(`runtimes.names.${name}`, name)
}
