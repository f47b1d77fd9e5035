import { nextTick } from 'vue'

/**
 * Moves the focus into `place` once it shows what replaces a pressed button: the button takes the focus with it.
 */
export async function focusFirst(place: HTMLElement | null | undefined): Promise<void> {
  await nextTick()
  place?.querySelector<HTMLElement>('input, button')?.focus()
}
