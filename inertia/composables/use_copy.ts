import { useNotices } from '~/composables/use_notices'
import { t } from '~/locales'

/**
 * Puts a text on the clipboard. Browsers give pages the clipboard by https and on this machine alone; an
 * installation on one's own network may have neither, so the older way comes after it.
 */
export function useCopy() {
  const { failed } = useNotices()

  /** True when it was copied; else it is said that it was not. `near` is what was pressed. */
  return async function copy(text: string, near: Element): Promise<boolean> {
    const done = (await byClipboard(text)) || bySelection(text, near)
    if (!done) failed(t('copyFailed'), t('copyFailedHint'))
    return done
  }
}

async function byClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

/** Beside what was pressed, because an open dialog lets nothing outside of it have the focus. */
function bySelection(text: string, near: Element): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.className = 'sr-only'
  near.after(field)
  field.select()
  try {
    return document.execCommand('copy')
  } finally {
    field.remove()
    if (near instanceof HTMLElement) near.focus()
  }
}
