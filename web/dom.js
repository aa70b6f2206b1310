// Elements, made by name. Text is always text: nothing here reads markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(node, props, kids) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value') node.value = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...kids.flat(Infinity).filter((kid) => kid !== undefined && kid !== null && kid !== false));
  return node;
}

export const h = (name, props, ...kids) => fill(document.createElement(name), props, kids);
export const svg = (name, props, ...kids) => fill(document.createElementNS(SVG, name), props, kids);

/** Sets the text only where it is another, so that nothing is announced or laid out again for nothing. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A labelled control; `error` is where a problem with it is told. */
export function field(label, control, hint) {
  const id = (control.id ||= `f${(field.count = (field.count ?? 0) + 1)}`);
  const error = h('p', { class: 'wrong', id: `${id}-wrong`, role: 'alert' });
  const told = [`${id}-wrong`];
  const parts = [h('label', { for: id }, label), control];
  if (hint) {
    parts.push(h('p', { class: 'hint', id: `${id}-hint` }, hint));
    told.unshift(`${id}-hint`);
  }
  control.setAttribute('aria-describedby', told.join(' '));
  const node = h('div', { class: 'field' }, parts, error);
  return {
    node,
    control,
    wrong(text) {
      put(error, text ?? '');
      if (text) control.setAttribute('aria-invalid', 'true');
      else control.removeAttribute('aria-invalid');
    },
  };
}

/** Says something to who listens instead of looking. */
export function say(text) {
  const said = document.getElementById('said');
  said.textContent = '';
  // A live region tells of changes: the same words said twice are two changes.
  requestAnimationFrame(() => { said.textContent = text; });
}

/** A file for the person to keep. */
export function keep(blob, name) {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
