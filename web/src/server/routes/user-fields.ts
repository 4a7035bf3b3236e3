import { z } from 'zod';

/** Names people type: any script, no blanks or control characters. */
export const username = z.string().regex(/^[^\s\p{C}]{1,64}$/u);

/** GB/T 2260 (6 digits) or the 12-digit statistical code. */
export const areaCode = z.string().regex(/^(\d{6}|\d{12})$/);
