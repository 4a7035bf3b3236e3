interface Node<V> {
  children: Map<string, Node<V>>;
  value: V | undefined;
}

const node = <V>(): Node<V> => ({ children: new Map(), value: undefined });

/**
 * Values by topic or by topic filter, level by level, so that a look-up costs the depth of the topic and not the number of keys.
 * A filter that starts with a wildcard matches no topic that starts with `$` [MQTT-4.7.2-1].
 */
export class TopicTree<V> {
  readonly #root = node<V>();

  get(key: string): V | undefined {
    let at: Node<V> | undefined = this.#root;
    for (const level of key.split('/')) {
      at = at.children.get(level);
      if (!at) return undefined;
    }
    return at.value;
  }

  set(key: string, value: V): void {
    let at = this.#root;
    for (const level of key.split('/')) {
      let next = at.children.get(level);
      if (!next) {
        next = node();
        at.children.set(level, next);
      }
      at = next;
    }
    at.value = value;
  }

  delete(key: string): void {
    const levels = key.split('/');
    const path = [this.#root];
    for (const level of levels) {
      const next = path.at(-1)!.children.get(level);
      if (!next) return;
      path.push(next);
    }
    path.at(-1)!.value = undefined;
    for (let depth = levels.length; depth > 0; depth--) {
      const at = path[depth]!;
      if (at.value !== undefined || at.children.size > 0) return;
      path[depth - 1]!.children.delete(levels[depth - 1]!);
    }
  }

  /** Values of the filters (the tree's keys) that match this topic. */
  matchFilters(topic: string): V[] {
    const levels = topic.split('/');
    const found: V[] = [];
    const walk = (at: Node<V>, depth: number): void => {
      const wild = depth > 0 || !topic.startsWith('$');
      const rest = at.children.get('#');
      if (wild && rest?.value !== undefined) found.push(rest.value);
      if (depth === levels.length) {
        if (at.value !== undefined) found.push(at.value);
        return;
      }
      const any = at.children.get('+');
      if (wild && any) walk(any, depth + 1);
      const exact = at.children.get(levels[depth]!);
      if (exact) walk(exact, depth + 1);
    };
    walk(this.#root, 0);
    return found;
  }

  /** Values of the topics (the tree's keys) that match this filter. */
  matchTopics(filter: string): V[] {
    const levels = filter.split('/');
    const found: V[] = [];
    const below = (at: Node<V>, depth: number): void => {
      if (at.value !== undefined) found.push(at.value);
      for (const [level, child] of at.children) if (depth > 0 || !level.startsWith('$')) below(child, depth + 1);
    };
    const walk = (at: Node<V>, depth: number): void => {
      const level = levels[depth];
      if (level === undefined) {
        if (at.value !== undefined) found.push(at.value);
      } else if (level === '#') below(at, depth);
      else if (level === '+') {
        for (const [name, child] of at.children) if (depth > 0 || !name.startsWith('$')) walk(child, depth + 1);
      } else {
        const child = at.children.get(level);
        if (child) walk(child, depth + 1);
      }
    };
    walk(this.#root, 0);
    return found;
  }
}
