import { HttpContext } from '@adonisjs/core/http'
import { BaseSerializer } from '@adonisjs/core/transformers'

/** The `meta` of a list: see `docs/api.md`. */
export interface ListMeta {
  total: number
  page: number
  limit: number
  totalPages: number
}

interface LucidPaginatorMeta {
  total: number
  currentPage: number
  perPage: number
}

/** Serializes the API's responses: `{ data }` for one object, `{ data, meta }` for a page of a list. */
class ApiSerializer extends BaseSerializer<{ Wrap: 'data'; PaginationMetaData: ListMeta }> {
  wrap: 'data' = 'data'

  definePaginationMetaData(metaData: unknown): ListMeta {
    const { total, currentPage, perPage } = metaData as LucidPaginatorMeta
    return { total, page: currentPage, limit: perPage, totalPages: Math.ceil(total / perPage) }
  }
}

declare module '@adonisjs/core/http' {
  export interface HttpContext {
    /** Responds with a transformed value in the API's envelope. */
    serialize: ApiSerializer['serialize']
  }
}

const serializer = new ApiSerializer()

/** The framework names pagination numbers `metadata`, the API names them `meta`. */
HttpContext.instanceProperty('serialize', async function (this: HttpContext, values: any) {
  const answer: any = await serializer.serialize(values, this.containerResolver)
  if (!answer?.metadata) return answer
  const { data, metadata } = answer
  return { data, meta: metadata }
} as ApiSerializer['serialize'])

export default class ApiProvider {}
