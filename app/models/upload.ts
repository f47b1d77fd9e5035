import { compose } from '@adonisjs/core/helpers'
import { UploadSchema } from '#database/schema'
import { Owned } from '#models/owned'
import { Sealed } from '#models/sealed'
import { WithCuid } from '#models/with_cuid'

/** A file that waits for the message that it is sent with. `content` is its base64, sealed. */
export default class Upload extends compose(UploadSchema, WithCuid, Sealed, Owned) {}
