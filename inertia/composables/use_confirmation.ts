import { shallowRef } from 'vue'

/** Request that waits for the user to confirm their identity; settled by the dialog. */
export const confirmation = shallowRef<{ settle: (confirmed: boolean) => void }>()

/** Asks once on behalf of all waiting requests. Resolves to true if the user confirmed. */
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
