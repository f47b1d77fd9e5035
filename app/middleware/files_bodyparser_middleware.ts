import BodyParserMiddleware from '@adonisjs/core/bodyparser_middleware'
import { filesBodyParserConfig } from '#config/bodyparser'

/** Parses JSON bodies that contain files. */
export default class FilesBodyparserMiddleware extends BodyParserMiddleware {
  constructor() {
    super(filesBodyParserConfig)
  }
}
