// The grid of matrix/__init__.py. Runs again on every change of data or theme, so handlers are assigned, never added.
// Names are untrusted: they are drawn with fillText or set as textContent, never parsed. One module with drawing.js.

const KINDS = { u1: Uint8Array, "<u2": Uint16Array, "<f4": Float32Array } // of numbers, by their names in numpy
const kept = new WeakMap() // per mounted grid: the cell under the keyboard, and the observer of its width

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const find = (selector) => parentElement.querySelector(selector)
  const root = find(".matrix"), head = find(".head"), scroll = find(".scroll"), lane = find(".lane"), names = find(".names")
  const cells = find(".cells"), status = find(".status"), tip = find(".tip"), place = find(".place")
  const grid = unpack(data), theme = themeOf(root, grid)
  const memory = kept.get(parentElement) ?? { at: [0, 0], chosen: "" }
  kept.set(parentElement, memory)
  const chosen = JSON.stringify([data.selected, data.rows.labels, data.columns.labels])
  if (memory.chosen !== chosen && data.selected.some((position) => position >= 0)) memory.at = [...data.selected]
  memory.chosen = chosen
  memory.at = [Math.min(memory.at[0], grid.height - 1), Math.min(memory.at[1], grid.width - 1)]
  scroll.setAttribute("aria-label", data.label)

  let layout, drawnAt
  const lay = () => {
    layout = layoutOf(grid, scroll.clientWidth)
    lane.style.width = `${layout.width}px`
    names.style.width = cells.style.left = `${layout.names}px`
    root.style.setProperty("--head", `${layout.head}px`)
  }
  const drawSight = () => {
    drawnAt = scroll.scrollLeft
    drawHead(head, grid, layout, theme, memory.at, drawnAt)
    drawCells(cells, grid, layout, theme, memory.at, drawnAt)
  }
  const draw = () => {
    drawNames(names, grid, layout, theme, memory.at)
    drawSight()
  }
  const positionAt = (event) => {
    const onHead = event.currentTarget === head, box = event.currentTarget.getBoundingClientRect()
    const x = event.clientX - box.left, y = event.clientY - box.top
    const row = onHead ? -1 : rowAt(layout, y)
    const inside = x - layout.names + scroll.scrollLeft
    let column = -1
    if (x >= layout.names) {
      // A slanted name leans to the right: follow it down to the column it stands on.
      const foot = onHead && !layout.wide ? inside - (layout.head - 6 - y) * 0.577 : inside
      column = Math.floor(foot / layout.cell)
      if (row < 0 && column < 0) return null
    }
    if (row === null || row >= grid.height || column >= grid.width || (row < 0 && column < 0)) return null
    return [row, column]
  }
  const pick = (at, sort = false) => setTriggerValue("picked", { row: at[0], column: at[1], sort })
  const move = (at) => {
    memory.at = at
    if (at[1] >= 0) bringIntoView(scroll, layout, at[1])
    draw()
    status.textContent = describe(grid, at)
  }

  for (const part of [head, scroll]) {
    part.onmousemove = (event) => {
      const at = positionAt(event)
      part.style.cursor = at ? "pointer" : "default"
      showTip(tip, root, at ? describe(grid, at) : "", event)
    }
    part.onmouseleave = () => showTip(tip, root, "")
    part.onclick = (event) => {
      const at = positionAt(event)
      if (part === head) scroll.focus({ preventScroll: true })
      if (!at) return
      move(at)
      pick(at, grid.can_sort && event.shiftKey && at[1] >= 0)
    }
  }
  head.onwheel = (event) => {
    if (!event.deltaX) return
    scroll.scrollLeft += event.deltaX
    event.preventDefault()
  }
  scroll.onkeydown = (event) => {
    const [row, column] = memory.at, first = row < 0 ? 0 : -1
    const to = {
      ArrowUp: [Math.max(column < 0 ? 0 : -1, row - 1), column],
      ArrowDown: [Math.min(grid.height - 1, row + 1), column],
      ArrowLeft: [row, Math.max(first, column - 1)],
      ArrowRight: [row, Math.min(grid.width - 1, column + 1)],
      Home: [row, Math.max(first, 0)],
      End: [row, grid.width - 1],
    }[event.key]
    if (to) {
      move(to)
      place.style.top = `${layout.head + (layout.tops[to[0]] ?? 0)}px`
      place.scrollIntoView({ block: "nearest" })
    } else if (event.key === "Enter" || event.key === " ") pick(memory.at)
    else if (event.key === "s" && grid.can_sort && column >= 0) pick(memory.at, true)
    else return
    event.preventDefault()
  }
  scroll.onscroll = () => { if (scroll.scrollLeft !== drawnAt) drawSight() }
  scroll.onfocus = () => { status.textContent = describe(grid, memory.at) }

  drawLegend(find(".legend"), grid, theme)
  lay()
  if (memory.at[1] >= 0) bringIntoView(scroll, layout, memory.at[1])
  draw()
  if (document.fonts.status === "loading") document.fonts.ready.then(() => { lay(); draw() })
  memory.observer?.disconnect()
  memory.observer = new ResizeObserver(() => {
    if (scroll.clientWidth === layout.available) return
    lay()
    draw()
  })
  memory.observer.observe(scroll)
  root.dataset.ready = String(grid.height) // the browser tests wait for it
  return () => { memory.observer.disconnect() }
}

function unpack(data) {
  const bytes = (text) => {
    const raw = atob(text), found = new Uint8Array(raw.length)
    for (let at = 0; at < raw.length; at++) found[at] = raw.charCodeAt(at) // a call per byte costs ten times as much
    return found
  }
  return {
    ...data,
    states: bytes(data.states),
    levels: data.levels && bytes(data.levels),
    flags: data.flags && bytes(data.flags),
    facts: data.facts.map((fact) => ({ ...fact, values: new KINDS[fact.kind](bytes(fact.values).buffer) })),
    height: data.rows.labels.length,
    width: data.columns.labels.length,
    chosen: data.selected,
  }
}

function hasFlag(grid, index) {
  return Boolean(grid.flags && (grid.flags[index >> 3] >> (7 - (index & 7))) & 1)
}

function rowAt(layout, y) {
  let low = 0, high = layout.tops.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (layout.tops[middle] <= y) low = middle + 1
    else high = middle
  }
  return low && y < layout.tops[low - 1] + ROW ? low - 1 : null // null: on a heading, or below the last row
}

function describe(grid, [row, column]) {
  if (column < 0) {
    const amount = grid.rows.amounts[row], note = grid.rows.notes[row]
    return [grid.rows.labels[row], note, amount && `${grid.rows.amount_title} ${amount}`, "Enter opens it"].filter(Boolean).join(" · ")
  }
  if (row < 0) {
    return [grid.columns.labels[column], grid.columns.notes[column], grid.can_sort ? "Enter opens it, s sorts the rows by it" : "Enter opens it"].filter(Boolean).join(" · ")
  }
  const index = row * grid.width + column, where = `${grid.rows.labels[row]} · ${grid.columns.labels[column]}`
  if (grid.levels?.[index] === EMPTY) return `${where} · ${grid.nothing}`
  const told = grid.facts.filter((fact) => fact.values[index] > 0).map((fact) => {
    const value = fact.values[index].toLocaleString("en", { maximumFractionDigits: fact.digits })
    return `${value} ${fact.label}`
  })
  const flagged = hasFlag(grid, index) ? grid.flag_name : ""
  return [where, grid.styles[grid.states[index]].name, flagged, ...told].filter(Boolean).join(" · ")
}

function showTip(tip, root, text, event) {
  tip.hidden = !text
  if (!text) return
  tip.replaceChildren(...text.split(" · ").map((part) => {
    const row = document.createElement("div")
    row.textContent = part
    return row
  }))
  const box = root.getBoundingClientRect()
  const x = event.clientX - box.left + 16, y = event.clientY - box.top + 14
  tip.style.left = `${Math.max(0, Math.min(x, box.width - tip.offsetWidth - 4))}px`
  tip.style.top = `${y}px`
}

function bringIntoView(scroll, layout, column) {
  const left = column * layout.cell, room = scroll.clientWidth - layout.names - layout.cell
  if (left < scroll.scrollLeft) scroll.scrollLeft = left
  else if (left > scroll.scrollLeft + room) scroll.scrollLeft = left - room
}
