// Rules that a page keeps so that every user can use it. Returns what is wrong, in words.
const wrong = [];
const tell = (node, what) => wrong.push(`${what}: <${node.tagName.toLowerCase()}${node.id ? ` #${node.id}` : ''}${node.className?.baseVal === undefined && node.className ? ` .${node.className}` : ''}> ${(node.textContent || '').trim().slice(0, 40)}`);
const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: false }) && !node.closest('[aria-hidden=true], .unseen, .skip, noscript');
const all = (css) => [...document.querySelectorAll(css)];

// -- language, title, landmarks, headings --
if (!/^(en|zh-TW)$/.test(document.documentElement.lang)) wrong.push('no language of the page');
if (!document.title.trim()) wrong.push('no title');
for (const landmark of ['header', 'main', 'footer', 'nav']) if (document.querySelectorAll(landmark).length !== 1) wrong.push(`not one landmark ${landmark}`);
for (const nav of all('nav, [role=region]')) if (!nav.getAttribute('aria-label')) tell(nav, 'a landmark without a name');
if (all('h1').length !== 1 || !all('h1')[0].textContent.trim()) wrong.push('not one h1');
let level = 0;
for (const heading of all('h1, h2, h3, h4, h5, h6').filter(seen)) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) tell(heading, 'the heading skips a level');
  level = own;
}

// -- names --
const named = (node) => {
  const by = node.getAttribute('aria-labelledby');
  const labelled = by && by.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' ');
  return (labelled || node.getAttribute('aria-label') || [...(node.labels ?? [])].map((label) => label.textContent).join(' ') || node.textContent || node.getAttribute('alt') || '').trim();
};
for (const node of all('button, a[href], summary, [role=button]').filter(seen)) if (!named(node)) tell(node, 'no name');
for (const node of all('input:not([type=hidden]), select, textarea').filter(seen)) {
  const label = node.getAttribute('aria-label') || [...node.labels].map((one) => one.textContent).join(' ').trim();
  if (!label) tell(node, 'no label');
}
for (const node of all('img')) if (!node.hasAttribute('alt')) tell(node, 'no alt');
for (const node of all('svg')) if (node.getAttribute('aria-hidden') !== 'true' && !node.getAttribute('aria-label') && !node.closest('[aria-hidden=true]')) tell(node, 'a picture with no name');
for (const node of all('fieldset')) if (!node.querySelector('legend')?.textContent.trim()) tell(node, 'no legend');
for (const node of all('th')) if (!node.scope) tell(node, 'no scope');

// -- references and ids --
const ids = new Map();
for (const node of all('[id]')) ids.set(node.id, (ids.get(node.id) ?? 0) + 1);
for (const [id, count] of ids) if (count > 1) wrong.push(`the id ${id} is there twice`);
for (const name of ['aria-labelledby', 'aria-describedby', 'for']) {
  for (const node of all(`[${name}]`)) for (const id of node.getAttribute(name).split(' ')) if (!ids.has(id)) tell(node, `${name} points to nothing`);
}

// -- order, size, place --
for (const node of all('[tabindex]')) if (node.tabIndex > 0) tell(node, 'a tab order of its own');
for (const node of all('a[href], button, input, select, textarea, summary').filter(seen)) if (node.tabIndex < 0) tell(node, 'the Tab key passes it by');
if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push('the page sticks out sideways');
for (const node of all('button, input, select, summary').filter(seen)) {
  const box = (node.closest('label') ?? node).getBoundingClientRect();
  if (box.width < 24 || box.height < 24) tell(node, `too small to hit (${Math.round(box.width)} x ${Math.round(box.height)})`);
}

// -- contrast --
const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
const colour = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
const ground = (node) => {
  const layers = [];
  for (let at = node; at; at = at.parentElement) {
    const layer = colour(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
};
for (const node of all('body *').filter(seen)) {
  if (node.closest('svg') || node.matches(':disabled, [aria-disabled=true]') || node.closest(':disabled')) continue;
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own && !node.matches('input, textarea, select')) continue;
  const style = getComputedStyle(node);
  const under = ground(node);
  const [a, b] = [light(over(colour(style.color), under)), light(under)];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) tell(node, `a contrast of ${ratio.toFixed(2)}`);
}
return wrong;
