/** How far a reader of a channel has come, by its own word. */
export interface FeedCursor {
  readonly name: string;
  /** Up to it everything is acknowledged. */
  readonly number: number;
  readonly at: number;
}
