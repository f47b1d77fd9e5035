import { compose } from '@adonisjs/core/helpers'
import { UploadSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'

/** An upload waiting for its message. `content` is base64, sealed. */
export default class Upload extends compose(UploadSchema, WithCuid, Sealed, Owned) {}
