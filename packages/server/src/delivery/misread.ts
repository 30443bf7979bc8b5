/** What was read of an answer breaks HTTP/1.1 or its bounds. */
export class Misread extends Error {
  override readonly name = 'Misread';
  readonly reason: 'protocol' | 'reset';

  constructor(message: string, reason: 'protocol' | 'reset' = 'protocol') {
    super(message);
    this.reason = reason;
  }
}
