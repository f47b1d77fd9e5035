import { computed, onScopeDispose, ref } from 'vue'
import { LARGEST_ATTACHMENTS, MOST_ATTACHMENTS } from '~/limits'
import { t } from '~/locales'

/** File attached to the next message. `preview` is an object URL of a picture. */
export interface PickedFile {
  id: number
  file: File
  preview?: string
}

/** A file in the API's format. */
export interface SentFile {
  name: string
  type: string
  data: string
}

const PICTURE = /^image\/(png|jpeg|gif|webp)$/
let counted = 0

/** Files picked, dropped or pasted for the next message. */
export function useAttachments() {
  const files = ref<PickedFile[]>([])
  const failure = ref('')

  const bytes = computed(() => files.value.reduce((sum, { file }) => sum + file.size, 0))

  function add(picked: Iterable<File>) {
    failure.value = ''
    for (const file of picked) {
      const isFull = files.value.length >= MOST_ATTACHMENTS
      if (isFull || bytes.value + file.size > LARGEST_ATTACHMENTS) {
        failure.value = t('chat.filesTooLarge')
        return
      }
      const preview = PICTURE.test(file.type) ? URL.createObjectURL(file) : undefined
      files.value.push({ id: ++counted, file, preview })
    }
  }

  function remove({ id, preview }: PickedFile) {
    if (preview) URL.revokeObjectURL(preview)
    files.value = files.value.filter((one) => one.id !== id)
    failure.value = ''
  }

  /** Moves the files to a message. Their previews stay valid. */
  function take(): PickedFile[] {
    const taken = files.value
    files.value = []
    failure.value = ''
    return taken
  }

  onScopeDispose(() => files.value.forEach(remove))

  return { files, failure, add, remove, take }
}

/** Reads a file as base64. */
export async function toSentFile(file: File): Promise<SentFile> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(file)
  })
  return { name: file.name, type: file.type, data: url.slice(url.indexOf(',') + 1) }
}
