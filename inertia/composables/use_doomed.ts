import { ref, shallowRef } from 'vue'

/** The row that a dialog asks about before it is deleted. It keeps its name while the dialog closes. */
export function useDoomed<Row>() {
  const doomed = shallowRef<Row>()
  const deleteOpen = ref(false)
  const ask = (row: Row) => {
    doomed.value = row
    deleteOpen.value = true
  }
  return { doomed, deleteOpen, ask }
}
