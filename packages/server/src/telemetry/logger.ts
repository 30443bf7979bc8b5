/** What any room may log with; `app.ts` makes it. Fields first, then a short fixed message. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Writes lines of one level and message; their fields are the inside of a JSON object, as text. */
export type WrittenLines = (fields: string) => void;
