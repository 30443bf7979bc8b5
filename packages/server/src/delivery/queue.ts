/** First in, first out, at a cost that does not grow with how many wait: an array's own `shift` moves all that are left. */
export interface Queue<Item> {
  put(item: Item): void;
  take(): Item | undefined;
  /** Takes the one that was put last. */
  takeLast(): Item | undefined;
  size(): number;
}

/** Places of taken items that are kept before the rest is moved; then there are at least as many as what is moved. */
const MAX_TAKEN = 512;

export function createQueue<Item>(): Queue<Item> {
  let items: (Item | undefined)[] = [];
  let taken = 0;

  return {
    put(item) {
      items.push(item);
    },
    take() {
      if (taken === items.length) return undefined;
      const item = items[taken];
      items[taken] = undefined;
      taken += 1;
      if (taken === items.length) {
        items.length = 0;
        taken = 0;
      } else if (taken >= MAX_TAKEN && taken * 2 >= items.length) {
        items = items.slice(taken);
        taken = 0;
      }
      return item;
    },
    takeLast: () => (taken === items.length ? undefined : items.pop()),
    size: () => items.length - taken,
  };
}
