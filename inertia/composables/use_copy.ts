import { useNotices } from '~/composables/use_notices'
import { t } from '~/locales'

/**
 * Copies text to the clipboard. Browsers offer the clipboard only over https or on localhost; a local network
 * installation may have neither, so it falls back to a selection.
 */
export function useCopy() {
  const { failed } = useNotices()

  /** Returns true if copied, else shows a notice. `near` is the pressed element. */
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

/** Placed beside the pressed element, because an open dialog traps the focus. */
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
