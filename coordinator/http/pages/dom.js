// SPDX-License-Identifier: Apache-2.0
// Elements out of data. Whatever comes from outside becomes text, never markup.

// h('a', {class: 'x', href: '/'}, 'text', element, null, [more]). Functions listen: {onclick: f}.
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false || child === '') continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

const focusable = 'a, button, input, summary';

// Puts `next` where `old` is, and the focus back on the link or field that had it.
export function swap(old, next) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const places = focused ? [...old.querySelectorAll(focusable)] : [];
  old.replaceWith(next);
  if (focused) [...next.querySelectorAll(focusable)][places.indexOf(focused)]?.focus({ preventScroll: true });
  return next;
}

// The same, but leaves `old` where it is if it says what `next` says: what is selected in it stays so.
export function swapIfChanged(old, next) {
  return old.textContent === next.textContent ? old : swap(old, next);
}

// Rows that are kept by a key and drawn again only when their data changed.
export class Rows {
  constructor(parent, draw) {
    this.parent = parent;
    this.draw = draw;
    this.rows = new Map();
  }

  set(key, data) {
    const text = JSON.stringify(data);
    const known = this.rows.get(key);
    if (known?.text === text) return;
    const element = this.draw(data);
    if (known) swap(known.element, element);
    else this.parent.append(element);
    this.rows.set(key, { element, text, data });
  }

  // Moves the rows into the order of `keys`, of which each has one; who has the focus keeps it.
  order(keys) {
    const focused = this.parent.contains(document.activeElement) ? document.activeElement : null;
    keys.forEach((key, i) => {
      const { element } = this.rows.get(key);
      const there = this.parent.children[i] ?? null;
      if (there !== element) this.parent.insertBefore(element, there);
    });
    if (focused !== document.activeElement) focused?.focus({ preventScroll: true });
  }

  keepOnly(keys) {
    const wanted = new Set(keys);
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
  }

  // Draws those rows again whose data say it: for what changes with time alone.
  redraw(isWanted = () => true) {
    for (const row of this.rows.values()) if (isWanted(row.data)) row.element = swapIfChanged(row.element, this.draw(row.data));
  }
}

// A table with a caption, and a label before each cell for narrow screens.
export function table(caption, columns, { hideCaption = false, id } = {}) {
  const body = h('tbody', { role: 'rowgroup' });
  const element = h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': caption, id },
    h('table', { role: 'table' },
      h('caption', { class: hideCaption ? 'unseen' : null }, caption),
      h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map((column) =>
        h('th', { scope: 'col', role: 'columnheader', class: column.number ? 'number' : column.wide ? 'wide' : null }, column.name)))),
      body));
  return { element, body };
}

// cells: one a column; the first one heads the row.
export function row(columns, cells, attributes) {
  return h('tr', { role: 'row', ...attributes }, cells.map((cell, i) => i === 0
    ? h('th', { scope: 'row', role: 'rowheader' }, cell)
    : h('td', { role: 'cell', 'data-label': columns[i].name, class: columns[i].number ? 'number' : columns[i].wide ? 'wide' : null },
      cell === null || cell === undefined || cell === '' ? h('span', { class: 'quiet' }, '–') : cell)));
}

export function section(title, ...children) {
  const id = `s-${title.toLowerCase().replace(/[^a-z]+/g, '-')}`;
  return h('section', { class: 'card', 'aria-labelledby': id }, h('h2', { id }, title), ...children);
}

// A word with a colour, which says nothing that the word does not say.
export function chip(word, tone) {
  return h('span', { class: `chip ${tone ?? 'neutral'}` }, h('span', { class: 'dot', 'aria-hidden': 'true' }), word);
}

export function progress(value, max, label) {
  return h('progress', { value: Math.min(value, max), max: Math.max(1, max), 'aria-label': label });
}

let spoken = '';
// For who does not see: what is worth a sentence, and no more than once.
export function announce(sentence) {
  if (sentence === spoken) return;
  spoken = sentence;
  document.getElementById('announcer').textContent = sentence;
}
