import { SimpleMessagesProvider } from '@vinejs/vine'

/** Messages for refused values, by setting and rule where the rule's own message would not help. */
export const settingMessages = new SimpleMessagesProvider({
  'enum': 'Choose one of these: {{ choices }}.',
  'number': 'Enter a number.',
  'withoutDecimals': 'Enter a whole number.',
  'min': 'Enter {{ min }} or more.',
  'max': 'Enter {{ max }} or less.',
  'maxLength': 'Enter at most {{ max }} characters.',
  'oidc.scopes.regex': 'Begin with “openid”, and put a space between them.',
  'mail.host.regex': 'Enter the name or the address of a server, as mail.example.org.',
  'mail.from.regex': 'Enter an email address.',
  'docker.host.regex': 'Enter an engine as unix:///var/run/docker.sock or tcp://host:2376.',
})
