import { computed, onScopeDispose, ref, shallowReactive, watch, type Ref } from 'vue'
import { api, ApiFailure } from '~/api/client'
import { fileUnreadable } from '~/composables/chat_failures'
import { LARGEST_ATTACHMENTS, LONGEST_TEXT, MOST_ATTACHMENTS } from '~/limits'
import { t } from '~/locales'
import { number } from '~/locales/format'

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

/** What the page holds of a message's files, and where the agent keeps its pictures. */
interface FilesOfMessage {
  files?: PickedFile[]
  attachments?: { name: string; type: string; url?: string }[]
}

const PICTURE = /^image\/(png|jpeg|gif|webp)$/
let counted = 0

/** Files picked, dropped or pasted for the next message of each conversation. */
export function useAttachments(conversation: Ref<string | null>) {
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
      files.value.push(toPicked(file))
      void tellCut(file).catch(() => {})
    }
  }

  /** A long text goes on without its end: tell so before it is sent. */
  async function tellCut(file: File) {
    if (!mayBeCut(file) || (await file.text()).length <= LONGEST_TEXT) return
    if (!files.value.some((one) => one.file === file)) return
    failure.value = t('chat.fileCut', { name: file.name, most: number(LONGEST_TEXT) })
  }

  function remove(file: PickedFile) {
    release([file])
    files.value = files.value.filter(({ id }) => id !== file.id)
    failure.value = ''
  }

  /** Moves the files to a message. Their previews stay valid. */
  function take(): PickedFile[] {
    const taken = files.value
    files.value = []
    failure.value = ''
    return taken
  }

  /** Files of the conversations that are not shown. */
  const others = shallowReactive(new Map<string | null, PickedFile[]>())
  const exchange = (shown: string | null, left: string | null) => {
    others.set(left, files.value)
    files.value = others.get(shown) ?? []
    others.delete(shown)
    failure.value = ''
  }
  watch(conversation, exchange, { flush: 'sync' })

  const all = computed(() => [files.value, ...others.values()].flat())
  onScopeDispose(() => release(all.value))

  return { files, all, failure, add, remove, take }
}

/** Frees the previews of files that no message shows any more. */
export function release(files: PickedFile[] = []): void {
  for (const { preview } of files) if (preview) URL.revokeObjectURL(preview)
}

const mayBeCut = ({ type, name, size }: File) =>
  size > LONGEST_TEXT && !PICTURE.test(type) && type !== 'application/pdf' && !/\.pdf$/i.test(name)

function toPicked(file: File): PickedFile {
  const preview = PICTURE.test(file.type) ? URL.createObjectURL(file) : undefined
  return { id: ++counted, file, preview }
}

/**
 * Returns the files of a message, to send them again. Pictures that this page does not hold are read from the agent.
 * Returns null if a file is known by name only. Throws `ApiFailure`.
 */
export async function filesOf({ files, attachments = [] }: FilesOfMessage) {
  if (files) return files
  const urls = attachments.flatMap(({ url }) => url ?? [])
  if (urls.length < attachments.length) return null
  const read = attachments.map(async ({ name, type }, index) => {
    const data = await api.file(urls[index].replace(/^\/api\/v1/, ''))
    return toPicked(new File([data], name, { type }))
  })
  return Promise.all(read)
}

/** Reads a file as base64. Browsers declare no type for many texts. Throws `ApiFailure`. */
export async function toSentFile(file: File): Promise<SentFile> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(new ApiFailure(0, [fileUnreadable(file.name)]))
    reader.readAsDataURL(file)
  })
  const type = file.type || 'application/octet-stream'
  return { name: file.name, type, data: url.slice(url.indexOf(',') + 1) }
}
