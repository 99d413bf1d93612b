// SPDX-License-Identifier: Apache-2.0
#include "report/page_parts.h"

namespace lockstep {

// The geometry is that of draw_plot.cpp, ticks that of axis_scale.cpp, paths those of plot_marks.cpp.
const char* const kPageScript = R"js(
'use strict';
(() => {
const data = JSON.parse(document.getElementById('report-data').textContent);
const LEFT = 56, RIGHT = 14, BOTTOM = 42, NS = 'http://www.w3.org/2000/svg';
const COLUMNS = ['step', 'epoch', 'rows', 'train_s'];
const LABELS = ['step', 'epoch', 'rows seen', 'training time (s)'];
const SHAPES = ['h0', 'h0', 'm-3.5-3.5l7 7m0-7l-7 7', 'm0-4.5l4.5 8h-9z'];
const tip = document.getElementById('tip'), said = document.getElementById('said');

const make = (name, attributes, text) => {
  const element = document.createElementNS(NS, name);
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined) element.textContent = text;
  return element;
};

const round = value => String(+value.toPrecision(4));
function tickText(value) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15 || size < 9.999e-4) return (+value.toPrecision(3)).toExponential().replace('e+', 'e');
  for (const [unit, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
    if (size >= 0.99999 * unit && size >= 9999) return round(value / unit) + letter;
  return round(value);
}

function roundStep(range, wanted) {
  const raw = range / wanted, power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 5]) if (factor * power >= raw * 0.999) return factor * power;
  return 10 * power;
}

function ticksOf(low, high, log, wanted) {
  const ticks = [], decades = log ? Math.log10(high / low) : 0;
  if (!log || decades < 0.7) {
    const step = roundStep(high - low, wanted);
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) ticks.push(i * step + 0);
    return ticks;
  }
  const stride = Math.max(1, Math.ceil(decades / wanted)), room = 3 * decades <= wanted + 2;
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1; ++power) {
    if (power % stride) continue;
    for (const factor of room ? [1, 2, 5] : [1]) {
      const tick = factor * 10 ** power;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks;
}

function endsOf(low, high, log, whole) {
  if (!(low <= high)) return log ? [1, 10] : [0, 1];
  if (log) {
    const pad = Math.max(1.08, (high / low) ** 0.04);
    return [low / pad, high * pad];
  }
  if (low === high) {
    return low > 0 ? [0, 1.5 * low] : [1.5 * low, low ? 0 : 1];
  }
  if (!whole) return [low, high];
  const step = roundStep(high - low, 5);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

// A mean over a window of a fifteenth of the curve.
function smoothed(values) {
  const half = Math.max(1, Math.round(values.length / 30));
  return values.map((_, i) => {
    const part = values.slice(Math.max(0, i - half), i + half + 1).filter(Number.isFinite);
    return part.length ? part.reduce((a, b) => a + b, 0) / part.length : null;
  });
}

function numbersOf(view, series) {
  if (!series.key) return [series.x || [], series.y || []];
  const course = data.courses[series.key];
  return [course[COLUMNS[view.along]], view.smooth ? smoothed(course.value) : course.value];
}

const scaleOf = (low, high, log, from, to) => value => {
  const share = log ? (value > 0 ? Math.log(value / low) / Math.log(high / low) : -3) : (value - low) / (high - low);
  return from + Math.min(3, Math.max(-3, share)) * (to - from);
};

function fit(view) {
  const plot = view.plot, xs = [], ys = [];
  if (view.drawn) {
    for (const series of plot.series) {
      if (view.off.has(series.name)) continue;
      const [x, y] = numbersOf(view, series);
      for (const value of x) xs.push(value);
      for (const value of y) ys.push(value);
    }
    for (const note of plot.notes) if (note.kind !== 'v') ys.push(note.y);
  }
  const span = (values, log) => {
    const good = values.filter(value => value !== null && Number.isFinite(value) && !(log && value <= 0));
    return [good.reduce((a, b) => Math.min(a, b), Infinity), good.reduce((a, b) => Math.max(a, b), -Infinity)];
  };
  const fixed = (axis, ends, log) => axis.fixed.map((end, i) => end === null || (log && end <= 0) ? ends[i] : end);
  let x = [plot.x.low, plot.x.high], y = [plot.y.low, plot.y.high];
  if (view.drawn) {
    if (plot.course) x = fixed(plot.x, endsOf(...span(xs, plot.x.log), plot.x.log, false), plot.x.log);
    y = fixed(plot.y, endsOf(...span(ys, view.log), view.log, true), view.log);
  }
  view.x = x;
  view.y = y;
  view.sx = scaleOf(x[0], x[1], plot.x.log, LEFT, plot.w - RIGHT);
  view.sy = scaleOf(y[0], y[1], view.log, plot.h - BOTTOM, plot.top);
}

function drawAxes(view) {
  const {plot, svg} = view, right = plot.w - RIGHT, bottom = plot.h - BOTTOM;
  const axes = svg.querySelector('.axes'), kept = axes.querySelector('.panel');
  axes.textContent = '';
  if (kept) axes.append(kept);
  axes.append(make('text', {class: 'label', x: 4, y: kept ? 35 : 17}, plot.y.label));
  for (const tick of ticksOf(...view.y, view.log, 5)) {
    if (tick > plot.y.last) continue;
    const y = view.sy(tick).toFixed(1);
    axes.append(make('path', {class: 'grid', d: `M${LEFT} ${y}H${right}`}));
    axes.append(make('text', {class: 'end', x: LEFT - 7, y: +y + 4}, tickText(tick)));
  }
  axes.append(make('path', {class: 'base', d: `M${LEFT} ${bottom}H${right}`}));
  let free = -1e9;
  const names = plot.x.names;
  for (const tick of names ? names.keys() : ticksOf(...view.x, plot.x.log, plot.w > 400 ? 7 : 5)) {
    if (plot.x.whole && tick % 1) continue;
    const x = view.sx(tick), name = names ? names[tick] : tickText(tick), half = 3.9 * name.length;
    axes.append(make('path', {class: 'base', d: `M${x.toFixed(1)} ${bottom}v4`}));
    if (x - half < free) continue;
    free = x + half + 6;
    axes.append(make('text', {class: 'mid', x: Math.min(x, plot.w - 2 - half).toFixed(1), y: bottom + 17}, name));
  }
  axes.append(make('text', {class: 'label mid', x: (LEFT + right) / 2, y: plot.h - 7},
                   plot.course ? LABELS[view.along] : plot.x.label));
}

function drawSeries(view) {
  view.plot.series.forEach((series, i) => {
    const group = view.svg.querySelector(`[data-i="${i}"]`), [xs, ys] = numbersOf(view, series);
    group.classList.toggle('off', view.off.has(series.name));
    if (series.mark === 'bars') {
      const base = view.plot.h - BOTTOM;
      const d = ys.map((y, k) => {
        const left = view.sx(series.low[k]), end = view.sx(series.high[k]);
        return `M${left.toFixed(1)} ${view.sy(y).toFixed(1)}H${Math.max(left, end - (end - left > 4 ? 1 : 0)).toFixed(1)}V${base}H${left.toFixed(1)}Z`;
      });
      group.querySelector('.bar').setAttribute('d', d.join(''));
      return;
    }
    let line = '', dots = '', down = false;
    ys.forEach((y, k) => {
      const exists = y !== null && xs[k] !== null && Number.isFinite(y);
      if (exists) {
        const px = view.sx(xs[k]).toFixed(1), py = view.sy(y).toFixed(1);
        if (down && series.mark === 'steps') line += `H${px}`;
        line += `${down ? 'L' : 'M'}${px} ${py}`;
        dots = (series.end ? '' : dots) + `M${px} ${py}${SHAPES[series.shape % 4]}`;
      }
      down = exists;
    });
    group.querySelector('.line')?.setAttribute('d', line);
    group.querySelector('.dots')?.setAttribute('d', dots);
  });
}

function drawNotes(view) {
  const {plot, svg} = view, bottom = plot.h - BOTTOM, right = plot.w - RIGHT;
  const groups = svg.querySelectorAll('.notes > .note');
  plot.notes.forEach((note, i) => {
    const text = groups[i].querySelector('text'), set = (x, y, anchor) => {
      text.setAttribute('x', x.toFixed(1));
      text.setAttribute('y', y.toFixed(1));
      if (anchor) text.setAttribute('class', anchor);
    };
    const y = view.sy(note.y), x = view.sx(note.at ? note.at[view.along] : note.x);
    const left = note.kind === 'v' ? x + 5 + 6.6 * note.label.length > plot.w : x > (LEFT + right) / 2;
    const rows = plot.notes.slice(i).filter(other => other.kind === 'v').length;
    if (note.kind === 'h') {
      groups[i].querySelector('path').setAttribute('d', `M${LEFT} ${y.toFixed(1)}H${right}`);
      const above = plot.notes.some(other => other.kind === 'v');
      set(right - 3, y < plot.top + 12 && above ? y + 13 : y - 5);
    } else if (note.kind === 'v') {
      const row = plot.top - 14 * rows + 6;
      groups[i].querySelector('path').setAttribute('d', `M${x.toFixed(1)} ${row - 9}V${bottom}`);
      set(left ? x - 5 : x + 5, row, left ? 'end' : 'start');
    } else {
      const circle = groups[i].querySelector('circle');
      circle.setAttribute('cx', x.toFixed(1));
      circle.setAttribute('cy', y.toFixed(1));
      set(left ? x - 11 : x + 11, y + 16 > bottom ? y - 9 : y + 16, left ? 'end' : 'start');
    }
  });
}

function redraw(view) {
  view.drawn = true;
  fit(view);
  drawAxes(view);
  drawSeries(view);
  drawNotes(view);
  hide(view);
}

function hide(view) {
  tip.hidden = true;
  view.svg.querySelector('.here')?.remove();
}

const brief = value => Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : String(+value.toPrecision(4));

function show(view, hit, speak) {
  hide(view);
  view.hit = hit;
  const series = view.plot.series[hit.i], [xs, ys] = numbersOf(view, series);
  const x = view.sx(xs[hit.k]), y = view.sy(ys[hit.k]);
  view.svg.append(make('circle', {class: 'here', cx: x, cy: y, r: 5}));
  const names = view.plot.x.names, across = view.plot.course ? LABELS[view.along] : view.plot.x.label;
  const text = `${series.name}: ${brief(ys[hit.k])}\n${across}: ${names ? names[xs[hit.k]] : brief(xs[hit.k])}` +
      (series.tips ? '\n' + series.tips[hit.k] : '');
  tip.textContent = text;
  tip.hidden = false;
  const box = view.svg.getBoundingClientRect(), scale = box.width / view.plot.w;
  const page = document.documentElement.clientWidth, left = box.left + x * scale;
  tip.style.left = Math.max(4, Math.min(left + 12, page - tip.offsetWidth - 4)) + window.scrollX + 'px';
  tip.style.top = box.top + y * scale + window.scrollY - tip.offsetHeight - 10 + 'px';
  if (speak) said.textContent = text.replace(/\n/g, ', ');
}

function nearest(view, px, py) {
  let best = null, least = 1600;
  view.plot.series.forEach((series, i) => {
    if (view.off.has(series.name)) return;
    const [xs, ys] = numbersOf(view, series);
    for (let k = 0; k < ys.length; ++k) {
      if (ys[k] === null || xs[k] === null) continue;
      const dx = view.sx(xs[k]) - px, dy = series.mark === 'bars' ? 0 : (view.sy(ys[k]) - py) / 2;
      const distance = dx * dx + dy * dy;
      if (distance < least) least = distance, best = {i, k};
    }
  });
  return best;
}

function listen(view) {
  const svg = view.svg;
  svg.setAttribute('aria-label', svg.querySelector('title').textContent);
  svg.querySelector('title').remove();  // else it pops up over the values
  svg.removeAttribute('aria-labelledby');
  svg.setAttribute('tabindex', '0');
  svg.addEventListener('pointermove', event => {
    const box = svg.getBoundingClientRect(), scale = view.plot.w / box.width;
    const hit = nearest(view, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
    if (hit) show(view, hit, false); else hide(view);
  });
  for (const end of ['pointerleave', 'blur']) svg.addEventListener(end, () => hide(view));
  svg.addEventListener('keydown', event => {
    const visible = view.plot.series.map((series, i) => i).filter(i => !view.off.has(view.plot.series[i].name));
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (!way || !visible.length) return;
    event.preventDefault();
    const at = view.hit && visible.includes(view.hit.i) ? view.hit : {i: visible[0], k: -way[0]};
    const i = visible[(visible.indexOf(at.i) + way[1] + visible.length) % visible.length];
    const ys = numbersOf(view, view.plot.series[i])[1];
    let k = Math.max(0, Math.min(ys.length - 1, at.k + way[0]));
    while (ys[k] === null && way[0] && ys[k + way[0]] !== undefined) k += way[0];
    if (ys[k] !== null) show(view, {i, k}, true);
  });
}

for (const figure of document.querySelectorAll('figure')) {
  const plots = data.figures[figure.id] || [];
  const views = plots.map((plot, i) => ({plot, svg: document.getElementById(`${figure.id}-${i}`), along: plot.along,
                                         log: plot.y.log, smooth: false, off: new Set(), drawn: false}));
  views.forEach(view => { fit(view); listen(view); });
  const all = change => views.forEach(view => { change(view); redraw(view); });
  const press = (group, button) => figure.querySelectorAll(`[data-${group}]`).forEach(
      other => other.setAttribute('aria-pressed', String(other === button)));
  const choices = figure.querySelector('.choices');
  if (choices) choices.hidden = false;
  figure.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.along) {
      press('along', button);
      all(view => { view.along = +button.dataset.along; });
    } else if (button.dataset.scale) {
      press('scale', button);
      all(view => { view.log = button.dataset.scale === 'log'; });
    } else if (button.dataset.smooth) {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      all(view => { view.smooth = on; });
    } else if (button.dataset.toggle !== undefined) {
      const on = button.getAttribute('aria-pressed') !== 'true';
      button.setAttribute('aria-pressed', String(on));
      all(view => { if (on) view.off.delete(button.dataset.toggle); else view.off.add(button.dataset.toggle); });
    }
  });
}
document.documentElement.dataset.ready = 'yes';
})();
)js";

}  // namespace lockstep
