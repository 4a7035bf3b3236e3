import { FireError } from '@smart-fire/core';
import { z } from 'zod';

/** What a command-line parser offers us (commander's Command does). */
interface OptionTaker {
  option(flags: string, description: string): unknown;
}

/** Options of one command: a zod schema whose fields carry `describe` texts, and their flags. */
export interface CommandOptions<Schema extends z.ZodObject> {
  schema: Schema;
  addTo<Command extends OptionTaker>(command: Command): Command;
  /** Throws FIRE_CONFIG_INVALID with every problem. */
  parse(raw: unknown): z.output<Schema>;
}

/** `takes` is the placeholder of the value, '' for a switch. Names are camelCase in the schema and kebab-case on the command line. */
export function commandOptions<Schema extends z.ZodObject>(
  schema: Schema,
  takes: Record<keyof Schema['shape'] & string, string>,
): CommandOptions<Schema> {
  return {
    schema,
    addTo(command) {
      for (const [name, field] of Object.entries(schema.shape) as [string, z.ZodType][]) {
        const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
        const value = takes[name] ? ` <${takes[name]}>` : '';
        const fallback = field.safeParse(undefined);
        const shown =
          fallback.success && fallback.data !== undefined && value ? ` (default: ${String(fallback.data)})` : '';
        command.option(flag + value, (field.description ?? name) + shown);
      }
      return command;
    },
    parse(raw) {
      const parsed = schema.safeParse(raw);
      if (parsed.success) return parsed.data;
      throw new FireError('FIRE_CONFIG_INVALID', { problems: z.prettifyError(parsed.error) });
    },
  };
}
