export default class ChatProvider {}
