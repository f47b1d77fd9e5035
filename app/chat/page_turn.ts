import { AGENT_MODEL } from '#chat/openai_request'
import { nameBlock, textBlock, type Attachment } from '#chat/attachments'
import type { Turn } from '#chat/relay'

/** A page message as gateway request, and as plain text if nothing comes beside it. */
export interface PageTurn extends Pick<Turn, 'path' | 'body'> {
  text?: string
}

/**
 * Builds the gateway request for a page message. Text files go into the message, pictures beside it. PDFs
 * need `/v1/responses`, the only endpoint that reads their text or shows the model their pages.
 */
export function pageTurn(message: string, attachments: Attachment[]): PageTurn {
  const texts = attachments.filter(({ kind }) => kind === 'text')
  const pictures = attachments.filter(({ kind }) => kind === 'picture')
  const pdfs = attachments.filter(({ kind }) => kind === 'pdf')
  const said = [message, ...texts.map(textBlock), ...pdfs.map(nameBlock)].join('').trimStart()
  if (pdfs.length > 0) return withPdfs(said, pictures, pdfs)

  const content =
    pictures.length === 0
      ? said
      : [
          ...(said ? [{ type: 'text', text: said }] : []),
          ...pictures.map((picture) => ({ type: 'image_url', image_url: { url: url(picture) } })),
        ]
  const body = JSON.stringify({
    model: AGENT_MODEL,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content }],
  })
  return { body, ...(pictures.length === 0 && { text: said }) }
}

function withPdfs(said: string, pictures: Attachment[], pdfs: Attachment[]) {
  const source = ({ type, name, data }: Attachment) => ({
    type: 'base64',
    media_type: type,
    data: data.toString('base64'),
    filename: name,
  })
  const content = [
    { type: 'input_text', text: said },
    ...pictures.map((picture) => {
      const { filename: _filename, ...image } = source(picture)
      return { type: 'input_image', source: image }
    }),
    ...pdfs.map((pdf) => ({ type: 'input_file', source: source(pdf) })),
  ]
  const input = [{ type: 'message', role: 'user', content }]
  return {
    path: '/v1/responses' as const,
    body: JSON.stringify({ model: AGENT_MODEL, stream: true, input }),
  }
}

const url = ({ type, data }: Attachment) => `data:${type};base64,${data.toString('base64')}`
