import type { Runtime } from '~/api/shapes'
import { tOr } from '~/locales'

/** Returns a runtime's label: the driver's, else Mosaic's, else its name. */
export function runtimeLabel({ label, name }: Pick<Runtime, 'label' | 'name'>): string {
  return label ?? tOr(`runtimes.names.${name}`, name)
}
