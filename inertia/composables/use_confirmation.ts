import { shallowRef } from 'vue'

/** A request that waits until its user has shown that it is still them; answered by the dialog. */
export const confirmation = shallowRef<{ settle: (confirmed: boolean) => void }>()

/** Asks for the proof once for all who wait for it. True when it was given. */
let asked: Promise<boolean> | undefined

export function askForConfirmation(): Promise<boolean> {
  asked ??= new Promise<boolean>((resolve) => {
    confirmation.value = {
      settle(confirmed) {
        confirmation.value = undefined
        asked = undefined
        resolve(confirmed)
      },
    }
  })
  return asked
}
