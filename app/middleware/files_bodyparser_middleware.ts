import BodyParserMiddleware from '@adonisjs/core/bodyparser_middleware'
import { filesBodyParserConfig } from '#config/bodyparser'

/** Reads JSON that carries files. */
export default class FilesBodyparserMiddleware extends BodyParserMiddleware {
  constructor() {
    super(filesBodyParserConfig)
  }
}
