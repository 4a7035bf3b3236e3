/** What a device sent, as text; what is no text as base64, and said so. */
export function payloadText({ payload, encoding }: { payload: string; encoding: 'utf8' | 'base64' }): string {
  return encoding === 'base64' ? `base64: ${payload}` : payload;
}
