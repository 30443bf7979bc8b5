import type { EventSelector } from '../event-type.ts';

/** A subscription's words for what a notification calls insert, update and delete. */
const WORD_OF: Readonly<Record<EventSelector['operation'], string>> = {
  insert: 'create',
  update: 'edit',
  delete: 'delete',
  all: 'all',
};

export const eventName = ({ module, operation }: EventSelector): string => `${module}.${WORD_OF[operation]}`;
